#include "proxy/exchange_guard.h"

#include <stdio.h>
#include <string.h>

#include "config/memory.h"
#include "policy/readings.h"
#include "proxy/exchange_graphql.h"
#include "proxy/exchange_parts.h"

/* ---- the route ---- */

/* Routers are case-blind as a rule, and forgive slashes at the end. */
static bool ends_in_route(struct text path)
{
    static const struct text route = TEXT_INIT("/_v/graphql");

    while (path.len && path.at[path.len - 1] == '/')
        path.len--;
    return path.len >= route.len &&
           text_eq_nocase((struct text){ path.at + path.len - route.len, route.len }, route);
}

/* By any of the ways to read the path. One that cannot be read may mean anything. */
static bool is_graphql(struct text path)
{
    struct readings readings;
    bool found = false;

    if (path_is_plain(path))
        return ends_in_route(path);
    found = readings_of(path, &readings) != READINGS_OK;
    for (size_t i = 0; i < readings.n && !found; i++)
        found = ends_in_route(readings.at[i].path);
    readings_fini(&readings);
    return found;
}

/* ---- the head ---- */

static enum outcome bad_target(const char **why)
{
    *why = "The target must be a path: this listener stands before an app.";
    return OUTCOME_BAD_REQUEST;
}

static enum outcome judge_target(struct exchange *x, const struct head *head, const char **why)
{
    const char *mark = memchr(head->target.at, '?', head->target.len);
    struct text path = mark ? text_span(head->target.at, mark) : head->target;

    if (text_eq(head->method, TEXT("CONNECT")) || text_eq(head->method, TEXT("TRACE"))) {
        x->close_client = true;
        return OUTCOME_METHOD_NOT_ALLOWED;
    }
    if (head->count[HEADER_HOST] > 1 || (head->count[HEADER_HOST] == 0 && head->minor > 0)) {
        *why = "There must be one Host header (RFC 9112, 3.2).";
        x->close_client = true;
        return OUTCOME_BAD_REQUEST;
    }
    x->destination = x->context->guard->app;
    x->destination.asterisk = text_eq(path, TEXT("*"));
    if (x->destination.asterisk && !text_eq(head->method, TEXT("OPTIONS")))
        return bad_target(why);
    if (!x->destination.asterisk && (path.len == 0 || *path.at != '/'))
        return bad_target(why);
    x->destination.path = x->destination.asterisk ? TEXT("/") : path;
    x->destination.query =
        mark ? text_span(mark + 1, head->target.at + head->target.len) : TEXT_NONE;
    exchange_keep_path(x);
    return OUTCOME_RELAYED;
}

/* A preflight has no content, and asks for nothing. */
static bool is_preflight(const struct exchange *x, const struct head *head)
{
    return text_eq(head->method, TEXT("OPTIONS")) && x->request.done && !x->destination.query.at;
}

static bool is_method_of_graphql(const struct head *head)
{
    return text_eq(head->method, TEXT("GET")) || text_eq(head->method, TEXT("POST")) ||
           text_eq(head->method, TEXT("HEAD"));
}

static void note_token(struct exchange *x, const struct head *head)
{
    struct text token;
    const char *why;

    x->graphql->token_twice = !presented_token(head, &token);
    if (token.at && !x->graphql->token_twice)
        x->graphql->token = token_new(token, &why);
}

enum outcome exchange_guard_judge(struct exchange *x, const struct head *head, const char **why)
{
    enum outcome outcome = judge_target(x, head, why);

    if (outcome != OUTCOME_RELAYED || x->destination.asterisk || !is_graphql(x->destination.path) ||
        is_preflight(x, head))
        return outcome;
    if (!is_method_of_graphql(head)) {
        *why = "Its method is neither GET nor POST.";
        return OUTCOME_GUARD_UNREADABLE;
    }
    exchange_graphql_note(x, head, x->context->guard->gate);
    note_token(x, head);
    return OUTCOME_RELAYED;
}

/* ---- the operation ---- */

static void settle(struct exchange *x, enum grant_result result, const char *why)
{
    static const enum outcome outcomes[] = { [GRANT_NOBODY] = OUTCOME_GUARD_UNAUTHENTICATED,
                                             [GRANT_FORBIDDEN] = OUTCOME_GUARD_FORBIDDEN,
                                             [GRANT_UNCLEAR] = OUTCOME_GUARD_UNAVAILABLE };

    if (result == GRANT_YES)
        exchange_move(x, GRANTED);
    else
        exchange_fail(x, outcomes[result], why);
}

static void on_settled(struct grant_waiter *waiter, enum grant_result result, const char *why)
{
    struct exchange_graphql *graphql = CONTAINER_OF(waiter, struct exchange_graphql, waiter);

    settle(graphql->exchange, result, why);
}

/* READ leads here, when somebody must be asked. */
void exchange_guard_ask(struct exchange *x)
{
    struct exchange_graphql *graphql = x->graphql;
    const char *why = "";

    graphql->waiter = (struct grant_waiter){ .settled = on_settled,
                                             .token = graphql->token,
                                             .needs = graphql->judgement.needs,
                                             .n_needs = graphql->judgement.n_needs };
    deadline_clear(&x->deadline); /* the questions have their own */
    enum grant_result result = granter_ask(x->context->guard->granter, &graphql->waiter, &why);
    if (result != GRANT_LATER)
        settle(x, result, why);
}

static void judge_guarded(struct exchange *x)
{
    const struct exchange_graphql *graphql = x->graphql;

    if (graphql->token_twice)
        exchange_fail(x, OUTCOME_GUARD_UNAUTHENTICATED,
                      "VtexIdclientAutCookie is there twice, with different values");
    else if (!graphql->token)
        exchange_fail(x, OUTCOME_GUARD_UNAUTHENTICATED, "VtexIdclientAutCookie was not found");
    else
        exchange_move(x, GUARDED);
}

void exchange_guard_judged(struct exchange *x)
{
    const struct graphql_judgement *judgement = &x->graphql->judgement;

    if (judgement->answer > GRAPHQL_GUARDED)
        exchange_fail(x, OUTCOME_GUARD_UNREADABLE, judgement->why);
    else if (judgement->answer == GRAPHQL_GUARDED)
        judge_guarded(x);
    else
        exchange_move(x, READ);
}

void exchange_guard_leave(struct exchange *x)
{
    if (x->graphql && x->context->guard)
        granter_leave(x->context->guard->granter, &x->graphql->waiter);
}
