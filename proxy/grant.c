#include "proxy/grant.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/ask.h"
#include "proxy/grant_wire.h"
#include "proxy/limits.h"
#include "proxy/token/desk.h"

/* Each answer is a round, and the cache holds far more answers than one request needs. */
enum {
    HTTPS_PORT = 443,
    WHY_MAX = LIMIT_DETAIL_BYTES,
    SAID_MAX = WHY_MAX + 32,
    ROUNDS_MAX = 2 * GRAPHQL_NEEDS_MAX
};

/* One question under way, and who wants to know. */
struct flight {
    LIST_ENTRY(flight) link;
    struct granter *granter;
    struct grant_key key;
    bool identity;     /* whose token it is; else: what is granted */
    time_t expires_at; /* of the user's token; 0: it does not say */
    struct ask *ask;
    LIST_HEAD(, grant_waiter) waiters;
};

struct granter {
    struct loop *loop;
    struct pool *pool;
    struct deadlines *deadlines;
    struct token_desk *desk;
    struct destination host;
    char *account;
    const char *no_host; /* why there is nobody to ask; NULL: there is */
    bool may_have_token; /* the sidecar's own */
    struct grant_cache *cache;
    LIST_HEAD(, flight) flights;
    size_t n_flights;
    struct graphql_questions questions;
    char why[WHY_MAX];
};

/* ---- the host ---- */

static const char *find_host(const char *account, struct destination *out)
{
    char host[HOST_MAX + 1];
    const char *why;
    int n = snprintf(host, sizeof(host), "%s.vtexcommercestable.com.br", account);

    *out = (struct destination){ 0 };
    if (n < 0 || (size_t)n >= sizeof(host))
        return "the account makes no host name: it is too long";
    if (!host_canonical(text_of(host), out, &why))
        return "the account makes no host name";
    out->scheme = SCHEME_HTTPS; /* whatever --plaintext-host says */
    out->port = HTTPS_PORT;
    return NULL;
}

struct granter *granter_new(const struct granter_rules *rules)
{
    struct granter *granter = mem_alloc(1, sizeof(*granter));

    granter->loop = rules->loop;
    granter->pool = rules->pool;
    granter->desk = rules->desk;
    granter->account = text_dup(text_of(rules->settings->account));
    granter->deadlines = deadlines_new(rules->loop, rules->settings->guard_timeout_ms);
    granter->cache = grant_cache_new(LIMIT_GRANTS);
    granter->no_host = find_host(granter->account, &granter->host);
    granter->may_have_token =
        !granter->no_host && realm_of(rules->realms, &granter->host) == REALM_JANUS;
    LIST_INIT(&granter->flights);
    return granter;
}

void granter_apply_settings(struct granter *granter, const struct settings *settings)
{
    deadlines_set_length(granter->deadlines, settings->guard_timeout_ms);
}

void granter_free(struct granter *granter)
{
    struct flight *flight;

    if (!granter)
        return;
    while ((flight = LIST_FIRST(&granter->flights))) {
        assert(LIST_EMPTY(&flight->waiters));
        ask_cancel(flight->ask);
        LIST_REMOVE(flight, link);
        free(flight);
    }
    deadlines_free(granter->deadlines);
    grant_cache_free(granter->cache);
    free(granter->account);
    free(granter);
}

struct graphql_questions granter_questions(const struct granter *granter)
{
    return granter->questions;
}

/* ---- answers ---- */

/* The token's own end comes first. */
static uint64_t yes_until(const struct flight *flight)
{
    int64_t left_ms = flight->expires_at ? (int64_t)flight->expires_at * 1000 - clock_now().wall_ms
                                         : LIMIT_GRANT_YES_MS;

    left_ms = left_ms < 0 ? 0 : left_ms < LIMIT_GRANT_YES_MS ? left_ms : LIMIT_GRANT_YES_MS;
    return loop_now_ms(flight->granter->loop) + (uint64_t)left_ms;
}

static void remember(const struct flight *flight, bool yes, struct text user)
{
    uint64_t no_until = loop_now_ms(flight->granter->loop) + LIMIT_GRANT_NO_MS;

    grant_cache_put(flight->granter->cache, &flight->key, yes, user,
                    yes ? yes_until(flight) : no_until);
}

static const char *say_failure(struct granter *granter, const struct ask_answer *answer)
{
    struct text message = text_of(outcome_row(answer->outcome)->message);

    if (text_ends(message, TEXT(".")))
        message.len--;
    snprintf(granter->why, sizeof(granter->why), TEXT_FMT "%s%s", TEXT_ARG(message),
             *answer->detail ? ": " : "", answer->detail);
    return granter->why;
}

/* As an enum grant_result, with what is known put into the cache. */
static enum grant_result take_answer(struct flight *flight, const struct ask_answer *answer,
                                     const char **why)
{
    struct granter *granter = flight->granter;
    char user[GRANT_USER_MAX + 1] = "";
    enum grant_reading reading;

    *why = "";
    if (answer->outcome != OUTCOME_RELAYED) {
        *why = say_failure(granter, answer);
        return GRANT_UNCLEAR;
    }
    if (answer->encoded) {
        *why = "it answered with a Content-Encoding, which was not asked for";
        return GRANT_UNCLEAR;
    }
    reading = flight->identity
                  ? grant_read_validate(answer->status, answer->body, granter->account, user, why)
                  : grant_read_granted(answer->status, answer->body, why);
    if (reading == READING_UNCLEAR)
        return GRANT_UNCLEAR;
    remember(flight, reading == READING_YES, reading == READING_NO ? TEXT_NONE : text_of(user));
    return GRANT_YES; /* the cache says what */
}

static enum grant_result go_on(struct granter *granter, struct grant_waiter *waiter,
                               const char **why);

static void tell(struct granter *granter, struct grant_waiter *waiter, enum grant_result result,
                 const char *why)
{
    char said[SAID_MAX];

    snprintf(said, sizeof(said), "%s", why); /* the next one may be said into granter->why */
    if (result == GRANT_YES)
        result = go_on(granter, waiter, &why);
    else
        why = said;
    if (result != GRANT_LATER)
        waiter->settled(waiter, result, why);
}

static void on_answer(void *arg, const struct ask_answer *answer)
{
    struct flight *flight = arg;
    struct granter *granter = flight->granter;
    struct grant_waiter *waiter;
    char unclear[SAID_MAX];
    const char *why;
    enum grant_result result = take_answer(flight, answer, &why);

    granter->questions.n_unclear += result == GRANT_UNCLEAR;
    snprintf(unclear, sizeof(unclear), "%s: %s", flight->identity ? "VTEX ID" : "License Manager",
             why);
    LIST_REMOVE(flight, link); /* who asks from now on, asks anew */
    granter->n_flights--;
    while ((waiter = LIST_FIRST(&flight->waiters))) {
        LIST_REMOVE(waiter, link);
        waiter->flight = NULL;
        tell(granter, waiter, result, unclear);
    }
    free(flight);
}

/* ---- questions ---- */

static struct flight *find_flight(const struct granter *granter, const struct grant_key *key)
{
    struct flight *flight;

    LIST_FOREACH(flight, &granter->flights, link) {
        if (grant_key_equals(&flight->key, key))
            return flight;
    }
    return NULL;
}

static struct flight *open_flight(struct granter *granter, const struct grant_key *key,
                                  const struct token *token, bool identity, struct buffer request)
{
    struct flight *flight = mem_alloc(1, sizeof(*flight));
    struct ask_plan plan = { .loop = granter->loop,
                             .pool = granter->pool,
                             .deadlines = granter->deadlines,
                             .destination = &granter->host,
                             .request = request,
                             .max_body = LIMIT_GRANT_ANSWER_BYTES };

    flight->granter = granter;
    flight->key = *key;
    flight->identity = identity;
    flight->expires_at = token_expires_at(token);
    LIST_INIT(&flight->waiters);
    LIST_INSERT_HEAD(&granter->flights, flight, link);
    granter->n_flights++;
    granter->questions.n_asked++;
    flight->ask = ask_open(&plan, on_answer, flight);
    return flight;
}

static enum grant_result wait_for(struct flight *flight, struct grant_waiter *waiter)
{
    waiter->flight = flight;
    LIST_INSERT_HEAD(&flight->waiters, waiter, link);
    return GRANT_LATER;
}

static enum grant_result unclear(const char **why, const char *said)
{
    *why = said;
    return GRANT_UNCLEAR;
}

static enum grant_result ask_whose(struct granter *granter, const struct grant_key *key,
                                   struct grant_waiter *waiter, const char **why)
{
    struct flight *flight = find_flight(granter, key);
    struct buffer request;

    if (flight)
        return wait_for(flight, waiter);
    if (granter->no_host)
        return unclear(why, granter->no_host);
    if (granter->n_flights >= LIMIT_GRANT_FLIGHTS)
        return unclear(why, "too many questions to VTEX are under way");
    grant_write_validate(&request, granter->host.host, token_text(waiter->token));
    return wait_for(open_flight(granter, key, waiter->token, true, request), waiter);
}

/* NULL, with the reason, if it cannot be asked. */
static struct flight *open_granted(struct granter *granter, const struct grant_key *key,
                                   const struct token *token, const struct grant_question *question,
                                   const char **why)
{
    const struct token *own = token_desk_current(granter->desk);
    struct buffer request;

    if (!grant_can_ask(question))
        *why = "License Manager cannot be asked: a code, or the user's name, makes no path";
    else if (!granter->may_have_token)
        *why = "License Manager's host is not among --janus-hosts, so it gets no token";
    else if (!own)
        *why = "there is no live app token to ask License Manager with";
    else if (granter->n_flights >= LIMIT_GRANT_FLIGHTS)
        *why = "too many questions to VTEX are under way";
    else {
        grant_write_granted(&request, granter->host.host, question, token_text(own));
        if (!request.overflowed)
            return open_flight(granter, key, token, false, request);
        buffer_fini(&request);
        *why = "License Manager cannot be asked: the codes are too long";
    }
    return NULL;
}

/* ---- going through what is needed ---- */

static struct grant_key key_of(const struct granter *granter, const struct grant_waiter *waiter,
                               size_t i)
{
    return grant_cache_key(granter->cache, token_text(waiter->token), waiter->needs[i].product,
                           waiter->needs[i].resource);
}

/* All that is not known yet is asked at once; the waiter waits for one after the other. */
static enum grant_result ask_granted(struct granter *granter, struct grant_waiter *waiter,
                                     const char *user, const char **why)
{
    uint64_t now = loop_now_ms(granter->loop);
    struct flight *first = NULL;

    for (size_t i = waiter->at; i < waiter->n_needs; i++) {
        const struct graphql_need *need = &waiter->needs[i];
        struct grant_question question = { granter->account, user, need->product, need->resource };
        struct grant_key key = key_of(granter, waiter, i);
        struct flight *flight = find_flight(granter, &key);

        if (!flight && !grant_cache_find(granter->cache, &key, now))
            flight = open_granted(granter, &key, waiter->token, &question, why);
        if (i == waiter->at && !flight)
            return GRANT_UNCLEAR;
        first = first ? first : flight;
    }
    return wait_for(first, waiter);
}

static void say_denied(struct granter *granter, const struct graphql_need *need, const char **why)
{
    char type[64], field[64], product[64], resource[64];

    snprintf(granter->why, sizeof(granter->why), "%s.%s needs productCode %s, resourceCode %s",
             text_printable(need->type, type, sizeof(type)),
             text_printable(need->field, field, sizeof(field)),
             text_printable(need->product, product, sizeof(product)),
             text_printable(need->resource, resource, sizeof(resource)));
    *why = granter->why;
}

static enum grant_result go_on(struct granter *granter, struct grant_waiter *waiter,
                               const char **why)
{
    uint64_t now = loop_now_ms(granter->loop);
    struct grant_key whose =
        grant_cache_key(granter->cache, token_text(waiter->token), TEXT_NONE, TEXT_NONE);
    const struct grant_entry *entry = grant_cache_find(granter->cache, &whose, now);
    char user[GRANT_USER_MAX + 1];

    *why = "";
    if (!token_is_live(waiter->token, clock_now())) {
        *why = "the token has expired";
        return GRANT_NOBODY;
    }
    if (waiter->n_rounds++ > ROUNDS_MAX)
        return unclear(why, "the answers were forgotten before they could be used");
    if (!entry)
        return ask_whose(granter, &whose, waiter, why);
    if (!entry->yes && !entry->user[0])
        return GRANT_NOBODY;
    if (!entry->yes) {
        *why = "shoppers are granted nothing";
        return GRANT_FORBIDDEN;
    }
    memcpy(user, entry->user, sizeof(user)); /* the cache is looked into again */
    for (; waiter->at < waiter->n_needs; waiter->at++) {
        struct grant_key key = key_of(granter, waiter, waiter->at);

        entry = grant_cache_find(granter->cache, &key, now);
        if (!entry)
            return ask_granted(granter, waiter, user, why);
        if (!entry->yes) {
            say_denied(granter, &waiter->needs[waiter->at], why);
            return GRANT_FORBIDDEN;
        }
    }
    return GRANT_YES;
}

enum grant_result granter_ask(struct granter *granter, struct grant_waiter *waiter,
                              const char **why)
{
    waiter->at = 0;
    waiter->n_rounds = 0;
    waiter->flight = NULL;
    return go_on(granter, waiter, why);
}

void granter_leave(struct granter *granter, struct grant_waiter *waiter)
{
    (void)granter;
    if (!waiter->flight)
        return;
    LIST_REMOVE(waiter, link);
    waiter->flight = NULL;
}
