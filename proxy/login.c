#include "proxy/login.h"

#include <assert.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/ask.h"
#include "proxy/login_pair.h"
#include "proxy/loop.h"

#define HOST ".vtexcommercestable.com.br"

enum { HTTPS_PORT = 443, REQUEST_MAX_BYTES = 8 * LIMIT_SECRET_BYTES };

struct login {
    struct token_source source;
    struct loop *loop;
    struct pool *pool;
    struct deadlines *deadlines; /* of one login */
    unsigned timeout_ms;
    struct login_pair *pair;
    struct destination destination;
    const char *no_host; /* why the account makes no host name; NULL: it does */
    struct ask *ask;     /* while ASKING */
    struct job job;      /* PREPARING; later frees */
    char label[HOST_MAX + 16];
};

static struct login *login_of(struct token_source *source)
{
    return (struct login *)(void *)source;
}

/* ---- the host ---- */

/* NULL, or why not. */
static const char *find_host(const char *account, struct destination *out)
{
    char host[HOST_MAX + 1];
    const char *why;

    *out = (struct destination){ 0 };
    int n = snprintf(host, sizeof(host), "%s" HOST, account);
    if (n < 0 || (size_t)n >= sizeof(host))
        return "it is too long";
    if (!host_canonical(text_of(host), out, &why))
        return why;
    out->scheme = SCHEME_HTTPS; /* whatever --plaintext-host says */
    out->port = HTTPS_PORT;
    return NULL;
}

/* ---- the request ---- */

static void wipe_string(json_t *string)
{
    if (json_is_string(string))
        OPENSSL_cleanse((void *)(uintptr_t)json_string_value(string), json_string_length(string));
}

static int add_piece(const char *bytes, size_t len, void *buffer)
{
    buffer_add(buffer, (struct text){ bytes, len });
    return 0;
}

static void write_body(const struct login_secrets *secrets, struct buffer *out)
{
    json_t *appkey = json_stringn(secrets->appkey.at, secrets->appkey.len);
    json_t *apptoken = json_stringn(secrets->apptoken.at, secrets->apptoken.len);
    json_t *pair = json_pack("{s:O, s:O}", "appkey", appkey, "apptoken", apptoken);

    if (!pair || json_dump_callback(pair, add_piece, out, JSON_COMPACT) != 0)
        abort(); /* they are ASCII */
    wipe_string(appkey);
    wipe_string(apptoken);
    json_decref(pair);
    json_decref(appkey);
    json_decref(apptoken);
}

/* Accept-Encoding, because without it any coding would be welcome (RFC 9110, 12.5.3). */
static void write_request(const struct login *login, const struct login_secrets *secrets,
                          struct buffer *out)
{
    struct buffer body;

    buffer_init(&body, REQUEST_MAX_BYTES);
    buffer_init(out, REQUEST_MAX_BYTES);
    write_body(secrets, &body);
    buffer_add(out, TEXT("POST /api/vtexid/apptoken/login HTTP/1.1\r\n"));
    buffer_add_field(out, TEXT("Host"), text_of(login->destination.host));
    buffer_add_field(out, TEXT("User-Agent"), TEXT("janus-sidecar"));
    buffer_add_field(out, TEXT("Accept"), TEXT("application/json"));
    buffer_add_field(out, TEXT("Accept-Encoding"), TEXT("identity"));
    buffer_add_field(out, TEXT("Content-Type"), TEXT("application/json"));
    buffer_add(out, TEXT("Content-Length: "));
    buffer_add_uint(out, buffer_waiting(&body).len);
    buffer_add(out, TEXT("\r\n\r\n"));
    buffer_add(out, buffer_waiting(&body));
    assert(!body.overflowed && !out->overflowed);
    buffer_fini(&body);
}

/* ---- the answer ---- */

#define WRONG_PAIR                                                                                 \
    "the app key or its token is wrong, or it is switched off in the account's License Manager"

static const char *reading_of(unsigned status)
{
    if (status == 401)
        return WRONG_PAIR;
    if (status == 403)
        return "the app key may not log in there";
    if (status == 429)
        return "it was asked too often";
    if (status >= 300 && status < 400)
        return "a redirect, which is never followed with an app key";
    return status >= 500 ? "VTEX ID cannot answer now" : "a login is answered 200";
}

/* NULL if the body says that the login succeeded. */
static const char *refusal_in(struct text body)
{
    json_t *object = json_loadb(body.at, body.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *status = json_object_get(object, "authStatus");
    const char *said = json_string_value(status), *why = NULL;

    if (!json_is_object(object))
        why = "it answered 200 and something that is no JSON object";
    else if (!said)
        why = "it answered 200 without an \"authStatus\"";
    else if (strcmp(said, "WrongCredentials") == 0)
        why = "it answered WrongCredentials: " WRONG_PAIR;
    else if (strcmp(said, "Success") != 0)
        why = "it answered 200 and an \"authStatus\" other than Success";
    wipe_string(json_object_get(object, "token"));
    json_decref(object);
    return why;
}

static struct token *read_token(struct text body, char why[LOGIN_WHY_MAX])
{
    const char *problem = refusal_in(body);
    struct token *token;

    if (problem) {
        snprintf(why, LOGIN_WHY_MAX, "%s", problem);
        return NULL;
    }
    token = token_read(body, &problem);
    if (!token)
        snprintf(why, LOGIN_WHY_MAX, "the token that it answered cannot be used: %s", problem);
    else if (!token_is_live(token, clock_now())) {
        snprintf(why, LOGIN_WHY_MAX,
                 "the token that it answered has expired already; is this machine's clock right?");
        token_unref(token);
        token = NULL;
    }
    return token;
}

static void say_failure(const struct ask_answer *answer, char why[LOGIN_WHY_MAX])
{
    struct text message = text_of(outcome_row(answer->outcome)->message);

    if (text_ends(message, TEXT(".")))
        message.len--;
    snprintf(why, LOGIN_WHY_MAX, TEXT_FMT "%s%s", TEXT_ARG(message), *answer->detail ? ": " : "",
             answer->detail);
    why[0] = ascii_lower(why[0]);
}

/* NULL: `why` is a sentence that holds nothing of the answer but its status. */
static struct token *judge(const struct login *login, const struct ask_answer *answer,
                           char why[LOGIN_WHY_MAX])
{
    if (answer->outcome == OUTCOME_RESPONSE_TIMEOUT)
        snprintf(why, LOGIN_WHY_MAX, "it did not answer within %u ms", login->timeout_ms);
    else if (answer->outcome != OUTCOME_RELAYED)
        say_failure(answer, why);
    else if (answer->status != 200)
        snprintf(why, LOGIN_WHY_MAX, "it answered %u: %s", answer->status,
                 reading_of(answer->status));
    else if (answer->encoded)
        snprintf(why, LOGIN_WHY_MAX,
                 "it answered with a Content-Encoding, which was not asked for");
    else
        return read_token(answer->body, why);
    return NULL;
}

/* What it tells may free the login: that comes last. */
static void on_answer(void *arg, const struct ask_answer *answer)
{
    struct login *login = arg;
    char why[LOGIN_WHY_MAX];

    login->ask = NULL;
    struct token *token = judge(login, answer, why);
    if (token)
        token_source_arrived(&login->source, token);
    else
        token_source_failed(&login->source, why, false);
}

/* ---- the source ---- */

static void ask(struct login *login, const struct login_secrets *secrets)
{
    struct ask_plan plan = { .loop = login->loop,
                             .pool = login->pool,
                             .deadlines = login->deadlines,
                             .destination = &login->destination,
                             .max_body = LIMIT_LOGIN_BYTES };

    write_request(login, secrets, &plan.request);
    login->ask = ask_open(&plan, on_answer, login);
}

static void prepare(struct job *job)
{
    struct login *login = CONTAINER_OF(job, struct login, job);
    struct login_secrets *secrets = NULL;
    char why[LOGIN_WHY_MAX];

    if (login->no_host) {
        snprintf(why, sizeof(why), "the account makes no host name: %s", login->no_host);
        token_source_failed(&login->source, why, false);
        return;
    }
    enum login_pair_result result = login_pair_read(login->pair, &secrets, why);
    if (result == LOGIN_PAIR_OK)
        ask(login, secrets);
    else
        token_source_failed(&login->source, why, result == LOGIN_PAIR_BUSY);
    login_secrets_free(secrets);
}

static void fetch(struct token_source *source)
{
    struct login *login = login_of(source);

    loop_defer(login->loop, &login->job);
}

static void free_memory(struct job *job)
{
    struct login *login = CONTAINER_OF(job, struct login, job);

    deadlines_free(login->deadlines);
    free(login);
}

/* Perhaps from inside on_answer(), which a deadline of ours may have caused. */
static void free_login(struct token_source *source)
{
    struct login *login = login_of(source);

    ask_cancel(login->ask);
    login->ask = NULL;
    login_pair_free(login->pair);
    login->job.run = free_memory;
    loop_defer(login->loop, &login->job);
}

struct token_source *login_source_new(const struct login_rules *rules)
{
    static const struct token_source_kind kind = { "login", NULL, fetch, free_login };
    const struct settings *settings = rules->settings;
    struct login *login = mem_alloc(1, sizeof(*login));

    login->source.kind = &kind;
    login->source.label = login->label;
    login->loop = rules->loop;
    login->pool = rules->pool;
    login->timeout_ms = settings->token_timeout_ms;
    login->deadlines = deadlines_new(rules->loop, settings->token_timeout_ms);
    login->pair = login_pair_new(settings);
    login->no_host = find_host(settings->account, &login->destination);
    login->job.run = prepare;
    snprintf(login->label, sizeof(login->label), "login at %s" HOST, settings->account);
    return &login->source;
}

/* ---- findings ---- */

bool login_is_wanted(const struct settings *settings)
{
    return settings->appkey || settings->appkey_file || settings->apptoken ||
           settings->apptoken_file;
}

void login_check(const struct settings *settings, struct diags *diags)
{
    struct destination destination;
    const char *why;

    if (!login_is_wanted(settings))
        return;
    login_pair_check(settings, diags);
    why = settings->account ? find_host(settings->account, &destination) : NULL;
    if (why)
        diag_fatal(diags, (struct place){ .file = "--account" },
                   "there is no host to log in at: %s", why);
}
