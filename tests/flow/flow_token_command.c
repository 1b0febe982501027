/* What is told of a token: `janus-sidecar token`, with a sidecar to ask and without, and the admin page
 * /token. For every source, and never the value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/flow/kit_town.h"
#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

enum { LIVE = 0, NONE_LIVE = 1, UNUSABLE = 2, WORDS_MAX = 8 };

#define WORDS(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }
#define NOWHERE "127.0.0.1:1"
#define SECRET  "TheSignatureThatNobodySees"

/* ---- tokens that say whose they are
 * ---------------------------------------------------------------- */

static char *base64url(const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct bytes out = { 0 };
    unsigned bits = 0, n = 0;

    bytes_add(&out, "", 0);
    for (; *text; text++) {
        bits = bits << 8 | (unsigned char)*text;
        for (n += 8; n >= 6; n -= 6)
            bytes_add(&out, &digits[bits >> (n - 6) & 63], 1);
    }
    if (n)
        bytes_add(&out, &digits[bits << (6 - n) & 63], 1);
    return out.at;
}

/* `claims` stand behind "exp"; NULL: an opaque token. */
static char *token_saying(const char *claims, long long exp)
{
    struct bytes payload = { 0 }, token = { 0 };

    if (!claims) {
        bytes_print(&token, "opaque-%s", SECRET);
        return token.at;
    }
    bytes_print(&payload, "{\"exp\":%lld%s%s}", exp, *claims ? "," : "", claims);
    char *coded = base64url(payload.at);
    bytes_print(&token, "eyJhbGciOiJub25lIn0.%s.%s", coded, SECRET);
    free(coded);
    bytes_free(&payload);
    return token.at;
}

/* ---- sources ---- */

static void put_file(struct town *town, const char *token)
{
    folder_replace(town->folder, "token", token);
}

static void put_program(struct town *town, const char *token)
{
    put_file(town, token);
    folder_write(town->folder, "program", "#!/bin/sh\ncat token\n");
    chmod(folder_name(town->folder, "program"), 0700);
}

static void put_session(struct town *town, const char *token)
{
    struct bytes json = { 0 };

    bytes_print(&json, "{\"acme\":\"%s\"}", token);
    folder_replace(town->folder, "tokens.json", json.at);
    bytes_free(&json);
}

static void put_nothing(struct town *town, const char *token)
{
    (void)town;
    (void)token;
}

static struct source {
    const char *name;
    void (*put)(struct town *town, const char *token);
    const char *option, *value, *from;
} sources[] = {
    { "file", put_file, "--token-file", "token", "token file token" },
    { "command", put_program, "--token-command", "./program", "program" },
    { "session", put_session, "--token-session", ".", "session" },
    { "login", put_nothing, NULL, NULL, "login at acme.vtexcommercestable.com.br" },
};

static struct town_plan plan_of(const struct source *source)
{
    return (
        struct town_plan){ .no_login = source->option != NULL,
                           .options = { "--token-timeout", "2s", source->option, source->value } };
}

/* ---- runs ---- */

struct told {
    int exit_code;
    char *output, *log;
};

static void expect_no_value(const struct told *told, const char *token)
{
    const char *const secrets[] = { SECRET, TOWN_APPKEY, TOWN_APPTOKEN, token };

    for (size_t i = 0; i < 4; i++) {
        if (secrets[i] && (strstr(told->output, secrets[i]) || strstr(told->log, secrets[i])))
            fail_msg("%s is told:\n%s%s", secrets[i], told->output, told->log);
    }
}

/* "token" with these words. The caller frees with told_free(). */
static struct told tell(struct town *town, const struct town_plan *plan, const char *admin,
                        const char *const *words)
{
    const char *all[WORDS_MAX] = { "--admin", admin };
    size_t n = 2;

    for (; words && *words; words++)
        all[n++] = *words;
    struct process *process = town_run(town, plan, "token", all);
    struct told told = { .exit_code = process_wait(process) };
    told.output = text_copy(process_output(process), strlen(process_output(process)));
    told.log = text_copy(process_log(process), strlen(process_log(process)));
    process_free(process);
    expect_no_value(&told, NULL);
    return told;
}

static void told_free(struct told *told)
{
    free(told->output);
    free(told->log);
}

static const char *admin_of(const struct town *town)
{
    static char admin[32];

    snprintf(admin, sizeof(admin), "127.0.0.1:%u", town->admin_port);
    return admin;
}

static void expect_says(const struct told *told, const char *says)
{
    if (!strstr(told->output, says) && !strstr(told->log, says))
        fail_msg("it was to say \"%s\":\n%s%s", says, told->output, told->log);
}

static json_t *json_told(const struct told *told)
{
    json_t *json = json_loads(told->output, 0, NULL);

    if (!json)
        fail_msg("no JSON:\n%s%s", told->output, told->log);
    return json;
}

static const char *text_in(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));

    return text ? text : "";
}

/* ---- the same from every source
 * -------------------------------------------------------------------- */

static void expect_report(const json_t *json, const struct source *source)
{
    assert_true(json_is_true(json_object_get(json, "live")));
    assert_string_equal(text_in(json, "account"), "acme");
    assert_string_equal(text_in(json, "source"), source->name);
    assert_non_null(strstr(text_in(json, "from"), source->from));
    assert_int_equal(strlen(text_in(json, "fingerprint")), 8);
    assert_true(json_integer_value(json_object_get(json, "generation")) >= 1);
    assert_true(json_integer_value(json_object_get(json, "expiresInMs")) > 60000);
    assert_true(json_integer_value(json_object_get(json, "renewalInMs")) > 30000);
    assert_true(json_is_null(json_object_get(json, "complaint")));
}

static void told_of(struct town *town, const struct town_plan *plan, const struct source *source,
                    const char *admin, bool running)
{
    struct told told = tell(town, plan, admin, WORDS("--json"));
    json_t *json = json_told(&told);

    assert_int_equal(told.exit_code, LIVE);
    expect_report(json, source);
    assert_int_equal(json_is_true(json_object_get(json, "running")), running);
    json_decref(json);
    told_free(&told);
    told = tell(town, plan, admin, NULL);
    assert_int_equal(told.exit_code, LIVE);
    expect_says(&told, running ? "the running sidecar" : "the sources; no sidecar is running");
    expect_says(&told, "token         live\n");
    expect_says(&told, "fingerprint   ");
    expect_says(&told, "expires       in ");
    expect_says(&told, "renewal       in ");
    told_free(&told);
}

static void expect_page(const struct town *town, const struct source *source)
{
    unsigned status;
    json_t *json = town_admin(town, "/token", &status);
    char *text = json_dumps(json, 0);

    assert_int_equal(status, 200);
    expect_report(json, source);
    assert_null(strstr(text, SECRET));
    assert_null(strstr(text, TOWN_APPKEY));
    assert_null(strstr(text, TOWN_APPTOKEN));
    free(text);
    json_decref(json);
}

static void every_source(void **state)
{
    const struct source *source = *state;
    struct town_plan plan = plan_of(source);
    char *token = token_saying("\"account\":\"acme\",\"sub\":\"acme.my-app\"", time(NULL) + 3600);
    struct town town;

    town_found(&town, &plan);
    source->put(&town, token);
    town_start(&town, &plan);
    town_await_generation(&town, 1);
    expect_page(&town, source);
    told_of(&town, &plan, source, admin_of(&town), true);
    assert_true(town_logins(&town) <= 1); /* the running one knows: nobody else was asked */
    told_of(&town, &plan, source, NOWHERE, false);
    assert_null(strstr(process_log(town.sidecar), SECRET));
    town_close(&town);
    free(token);
}

/* ---- what a token says of itself
 * ------------------------------------------------------------------- */

static struct claim {
    const char *name;
    const char *claims; /* NULL: an opaque token */
    const char *options[4];
    const char *says[3];
} claims[] = {
    { "whose it is",
      "\"account\":\"acme\",\"sub\":\"me@acme\",\"iss\":\"token-emitter\"",
      { NULL },
      { "account       acme", "sub           me@acme", "iss           token-emitter" } },
    { "an audience that is a list",
      "\"aud\":[\"admin\",\"other\"]",
      { NULL },
      { "aud           admin" } },
    { "another account",
      "\"account\":\"other\"",
      { NULL },
      { "warning       the token is for the account \"other\", not for the one in --account" } },
    { "another workspace",
      "\"account\":\"acme\",\"workspace\":\"dev\"",
      { NULL },
      { "warning       the token is for the workspace \"dev\", not for the one in --workspace" } },
    { "our workspace",
      "\"account\":\"acme\",\"workspace\":\"dev\"",
      { "--workspace", "dev" },
      { "workspace     dev" } },
    { "an opaque one",
      NULL,
      { NULL },
      { "warning       the token does not say when it expires: --token-lifetime counts" } },
    { "control bytes in a claim", "\"sub\":\"a\\u001b[31mb\"", { NULL }, { "sub           a" } },
    { "an app key is not told whole",
      "\"sub\":\"vtexappkey-acme-ABCDEF\"",
      { NULL },
      { "sub           vtexappkey-acme-******" } },
    { "a claim that is no text", "\"sub\":{\"a\":1},\"account\":5", { NULL }, { "live" } },
    { "no more than these claims", "\"email\":\"someone@private.example\"", { NULL }, { "live" } },
};

static void claimed(void **state)
{
    const struct claim *row = *state;
    struct town_plan plan = {
        .no_login = true, .options = { "--token-file", "token", row->options[0], row->options[1] }
    };
    char *token = token_saying(row->claims, time(NULL) + 3600);
    struct town town;

    town_found(&town, &plan);
    put_file(&town, token);
    struct told told = tell(&town, &plan, NOWHERE, NULL);
    assert_int_equal(told.exit_code, LIVE);
    for (size_t i = 0; i < 3 && row->says[i]; i++)
        expect_says(&told, row->says[i]);
    assert_null(strstr(told.output, "private.example"));
    assert_null(strchr(told.output, 0x1b));
    assert_null(strstr(told.output, "ABCDEF"));
    expect_no_value(&told, token);
    told_free(&told);
    town_forget(&town);
    free(token);
}

/* ---- none is live
 * ---------------------------------------------------------------------------------- */

static struct none {
    const char *name;
    const char *content; /* of the token file; NULL: none */
    long long expires;   /* not 0: an expired JWT instead */
    const char *complaint;
} nones[] = {
    { "no file", NULL, 0, "there is no such file" },
    { "an empty file", "", 0, "there is no token in it" },
    { "a token that has expired", NULL, 1000, "has expired already" },
    { "something else", "two words " SECRET, 0, "a byte that a token cannot have" },
};

static void none_live(void **state)
{
    static const struct town_plan plan = {
        .no_login = true, .options = { "--token-file", "token", "--token-timeout", "300ms" }
    };
    const struct none *row = *state;
    struct town town;
    unsigned status;

    town_found(&town, &plan);
    town_start(&town, &plan);
    char *token = row->expires ? token_saying("", row->expires) : NULL;
    if (token || row->content)
        put_file(&town, token ? token : row->content);
    process_await_line(town.sidecar, row->complaint);
    json_t *page = town_admin(&town, "/token", &status);
    assert_int_equal(status, 503);
    assert_true(json_is_false(json_object_get(page, "live")));
    assert_true(json_is_null(json_object_get(page, "source")));
    assert_non_null(strstr(text_in(page, "complaint"), row->complaint));
    json_decref(page);
    struct told told = tell(&town, &plan, admin_of(&town), NULL);
    assert_int_equal(told.exit_code, NONE_LIVE);
    expect_says(&told, "token         none\n");
    expect_says(&told, row->complaint);
    told_free(&told);
    assert_null(strstr(process_log(town.sidecar), SECRET));
    town_close(&town);
    free(token);
}

/* Without a sidecar what cannot be used is a fault of the settings; what may still come is waited for. */
static void none_without_sidecar(void **state)
{
    static const struct town_plan plan = {
        .no_login = true, .options = { "--token-file", "token", "--token-timeout", "300ms" }
    };
    struct town town;

    (void)state;
    town_found(&town, &plan);
    struct told told = tell(&town, &plan, NOWHERE, WORDS("--json"));
    assert_int_equal(told.exit_code, NONE_LIVE);
    json_t *json = json_told(&told);
    assert_true(json_is_false(json_object_get(json, "live")));
    assert_non_null(strstr(text_in(json, "complaint"), "there is no such file"));
    json_decref(json);
    told_free(&told);
    put_file(&town, "two words " SECRET);
    told = tell(&town, &plan, NOWHERE, NULL);
    assert_int_equal(told.exit_code, UNUSABLE);
    expect_says(&told, "a byte that a token cannot have");
    told_free(&told);
    town_forget(&town);
}

static void login_fails(void **state)
{
    struct town town;

    (void)state;
    town_found(&town, NULL);
    folder_write(town.folder, "apptoken", "a-wrong-one");
    struct told told = tell(&town, NULL, NOWHERE, WORDS("--token-timeout", "1s"));
    assert_int_equal(told.exit_code, NONE_LIVE);
    expect_says(&told, "it answered 401: the app key or its token is wrong");
    told_free(&told);
    town_forget(&town);
}

/* ---- whom it asks
 * ---------------------------------------------------------------------------------- */

static void another_account(void **state)
{
    static const struct town_plan plan = { .no_login = true,
                                           .options = { "--token-file", "token" } };
    struct town town;
    struct world other;

    (void)state;
    world_open(&other, NULL); /* of storeacct */
    process_await_line(other.sidecar, "event=token generation=1");
    town_found(&town, &plan);
    put_file(&town, "ours-" SECRET);
    char admin[32];
    snprintf(admin, sizeof(admin), "127.0.0.1:%u", other.admin_port);
    struct told told = tell(&town, &plan, admin, NULL);
    assert_int_equal(told.exit_code, LIVE);
    expect_says(&told, "the sidecar at --admin is for the account storeacct; it is not asked");
    expect_says(&told, "the sources; no sidecar is running");
    assert_null(strstr(told.output, TOKEN));
    told_free(&told);
    town_forget(&town);
    world_close(&other);
}

/* Something answers at --admin, and it is no sidecar. */
static void a_stranger(void **state)
{
    static const struct town_plan plan = { .no_login = true,
                                           .options = { "--token-file", "token" } };
    struct town town;
    char admin[32];

    (void)state;
    town_found(&town, &plan);
    put_file(&town, "ours-" SECRET);
    snprintf(admin, sizeof(admin), "127.0.0.1:%u", sim_port(town.sim)); /* TLS */
    struct told told = tell(&town, &plan, admin, NULL);
    assert_int_equal(told.exit_code, LIVE);
    expect_says(&told, "the sources; no sidecar is running");
    told_free(&told);
    town_forget(&town);
}

/* ---- options
 * --------------------------------------------------------------------------------------- */

static struct bad {
    const char *name;
    const char *words[3];
    const char *says;
} bads[] = {
    { "an unknown option", { "--frobnicate" }, "unknown option" },
    { "a word", { "word" }, "not an option" },
    { "a source that is not set up", { "--token-sources", "file" }, "named, but not set up" },
    { "a secret on the command line", { "--appkey", SECRET }, "(--appkey-file FILE) only" },
    { "a token on the command line", { "--token=" SECRET }, "--token" },
};

static void bad_options(void **state)
{
    const struct bad *row = *state;
    struct town town;

    town_found(&town, NULL);
    struct told told = tell(&town, NULL, NOWHERE, row->words);
    assert_int_equal(told.exit_code, UNUSABLE);
    expect_says(&told, row->says);
    assert_string_equal(told.output, "");
    told_free(&told);
    assert_int_equal(town_logins(&town), 0);
    town_forget(&town);
}

/* ---- the page
 * -------------------------------------------------------------------------------------- */

static struct call {
    const char *name, *head;
    unsigned status;
    const char *says;
} calls[] = {
    { "GET", "GET /token HTTP/1.1\r\nHost: localhost\r\n\r\n", 200, "\"live\":true" },
    { "POST", "POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405,
      "Use GET" },
    { "DELETE", "DELETE /token HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "Use GET" },
    { "a browser's page",
      "GET /token HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\r\n", 403,
      "Browsers may not" },
    { "a browser's image",
      "GET /token HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\n\r\n", 403,
      "Browsers may not" },
    { "a longer path", "GET /token/value HTTP/1.1\r\nHost: localhost\r\n\r\n", 404, "/token" },
    { "a query", "GET /token?value=1 HTTP/1.1\r\nHost: localhost\r\n\r\n", 200, "\"live\":true" },
};

static void called(void **state)
{
    const struct call *row = *state;
    struct town_plan plan = plan_of(&sources[0]);
    char *token = token_saying("", time(NULL) + 3600);
    struct town town;

    town_found(&town, &plan);
    put_file(&town, token);
    town_start(&town, &plan);
    town_await_generation(&town, 1);
    struct client *client = client_new(town.admin_port);
    client_say(client, row->head);
    const struct response *response = client_response(client);
    expect_status(response, row->status);
    if (!strstr(response->body.at, row->says))
        fail_msg("it was to say %s:\n%s", row->says, response->body.at);
    assert_null(strstr(response->body.at, SECRET));
    expect_header(response, "Cache-Control", "no-store");
    town_close(&town);
    free(token);
}

static struct single singles[] = {
    { "none, and no sidecar", none_without_sidecar },
    { "a login that fails", login_fails },
    { "another account's sidecar", another_account },
    { "a stranger at --admin", a_stranger },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, sources, every_source);
    STORIES_ADD(&stories, claims, claimed);
    STORIES_ADD(&stories, nones, none_live);
    STORIES_ADD(&stories, bads, bad_options);
    STORIES_ADD(&stories, calls, called);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("token_command", &stories, NULL, NULL);
}
