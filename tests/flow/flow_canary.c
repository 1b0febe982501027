/* Secrets that are easy to recognise, through every source and all kinds of traffic: they are in nothing
 * that the process wrote, no core is dumped, and what was rotated away is not in its memory any
 * more. The memory is that of the release build ($JANUS_RELEASE_BIN_DIR): a sanitizer keeps what is
 * freed. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/flow/kit_memory.h"
#include "tests/flow/kit_town.h"
#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

enum { CANARIES = 3, ABORTED = 256 + SIGABRT };

#define STORE "Host: " SIM_STORE "\r\n"

/* ---- the sources
 * ----------------------------------------------------------------------------------- */

struct canary {
    struct town town;
    bool json;              /* the log */
    char *tokens[CANARIES]; /* in the order of their use; freed by canary_free() */
};

static void write_token(struct town *town, size_t i)
{
    char token[128];

    /* Everything that some form escapes; no '_', '"', ',', ';' or '\'. */
    snprintf(token, sizeof(token), "canary-%zu/one+two=three<four>&five'six~seven-%zu", i, i);
    folder_replace(town->folder, "token", token);
}

static void write_session(struct town *town, size_t i)
{
    char json[256];

    snprintf(json, sizeof(json), "{\"acme\":\"session-%zu/one+two=three<four>&five'six~%zu\"}", i,
             i);
    folder_replace(town->folder, "tokens.json", json);
}

static void write_program(struct town *town, size_t i)
{
    write_token(town, i);
    folder_write(town->folder, "program", "#!/bin/sh\ncat token\n");
    chmod(folder_name(town->folder, "program"), 0700);
}

static const char *const pair_in_environment[] = { "JANUS_APPKEY=" TOWN_APPKEY,
                                                   "JANUS_APPTOKEN=" TOWN_APPTOKEN, NULL };

static struct source {
    const char *name;
    void (*write)(struct town *town, size_t i); /* NULL: the simulator makes them */
    bool asked;                                 /* it is asked anew with SIGHUP */
    const char *options[4];
    const char *const *environment; /* where the pair stands, if not in files */
} sources[] = {
    { "file", write_token, false, { "--token-file", "token" }, NULL },
    { "command", write_program, true, { "--token-command", "./program" }, NULL },
    { "session", write_session, false, { "--token-session", "." }, NULL },
    { "login", NULL, true, { NULL }, NULL },
    { "login with the pair in the environment", NULL, true, { NULL }, pair_in_environment },
};

/* The first of --token-sources that it stands for. */
static const char *kind_of(const struct source *source)
{
    return source->write ? source->name : "login";
}

/* What the simulator was sent last: the test knows it from there alone. */
static char *token_at_the_origin(const struct town *town)
{
    json_t *requests = sim_ask(town->sim, "GET", "/_sim/requests"), *request, *field;
    char *token = NULL;
    size_t i, j;

    json_array_foreach(requests, i, request)
    {
        json_array_foreach(json_object_get(request, "headers"), j, field)
        {
            const char *name = json_string_value(json_array_get(field, 0));
            const char *value = json_string_value(json_array_get(field, 1));
            if (strcasecmp(name, "VtexIdclientAutCookie") == 0) {
                free(token);
                token = text_copy(value, strlen(value));
            }
        }
    }
    json_decref(requests);
    return token;
}

/* ---- all kinds of traffic
 * -------------------------------------------------------------------------- */

static const struct request {
    const char *head;
    unsigned status; /* 0: whatever */
} requests[] = {
    { "GET /_sim/echo HTTP/1.1\r\n" STORE "\r\n", 200 },
    { "GET /_sim/echo/?authToken=x HTTP/1.1\r\n" STORE
      "VtexIdclientAutCookie: janus-sidecar-placeholder\r\n\r\n",
      200 },
    { "GET /_sim/echo HTTP/1.1\r\n" STORE
      "Cookie: a=b; VtexIdclientAutCookie=janus-sidecar-placeholder\r\n\r\n",
      200 },
    { "POST /_sim/private/a HTTP/1.1\r\n" STORE "Content-Length: 5\r\n\r\nhello", 0 },
    { "GET /_sim/401-until-rotate HTTP/1.1\r\n" STORE "\r\n", 0 },
    { "GET /a.b/v1/acme/master/x HTTP/1.1\r\nHost: app.io.vtex.com\r\n\r\n", 0 },
    { "GET /_sim/echo HTTP/1.1\r\nHost: any.partner.example\r\nAuthorization: user\r\n\r\n", 200 },
    { "GET /_sim/echo HTTP/1.1\r\nHost: denied.example\r\n\r\n", 403 },
    { "GET /_sim/echo HTTP/1.1\r\n" STORE "X-Janus-Auth: admin\r\n\r\n", 401 },
    { "GET /_sim/echo HTTP/1.1\r\n" STORE "X-Janus-Auth: app\r\n\r\n", 200 },
    { "CONNECT a.b:443 HTTP/1.1\r\nHost: a.b:443\r\n\r\n", 405 },
    { "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400 },
    { "GET /_sim/headers HTTP/1.1\r\n" STORE "\r\n", 200 },
    { "GET /_sim/drop HTTP/1.1\r\n" STORE "\r\n", 502 },
    { "GET /_sim/raw?bytes=nonsense%0d%0a%0d%0a HTTP/1.1\r\n" STORE "\r\n", 502 },
    { "GET /_sim/bytes/100000?chunked=1 HTTP/1.1\r\n" STORE "\r\n", 200 },
    { "GET /_sim/until-close/1000 HTTP/1.1\r\n" STORE "\r\n", 200 },
    { "GET /_sim/echo/;authToken=x HTTP/1.1\r\n" STORE
      "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n",
      0 },
    { "GET /_sim/echo HTTP/1.1\r\n" STORE "\r\n", 200 },
};

/* What we say ourselves never holds a secret. */
static void expect_silence(const struct canary *canary, const char *what, const char *bytes,
                           size_t n)
{
    const char *secrets[CANARIES + 2] = { TOWN_APPKEY, TOWN_APPTOKEN };
    size_t n_secrets = 2;

    for (size_t i = 0; i < CANARIES && canary->tokens[i]; i++)
        secrets[n_secrets++] = canary->tokens[i];
    for (size_t i = 0; i < n_secrets; i++) {
        const char *form = memory_form_in(secrets[i], bytes, n);
        if (form)
            fail_msg("%s holds %s (%s):\n%.*s", what, secrets[i], form, (int)n, bytes);
    }
}

/* What an app must not do, and what is masked in the log then: the token in a path, as its bytes and escaped.
 * A slash ends a value there, so the token is one without. */
static void drive_in_path(const struct canary *canary)
{
    for (size_t i = 0; i < CANARIES && canary->tokens[i]; i++) {
        struct bytes head = { 0 };
        if (strpbrk(canary->tokens[i], "/<>"))
            continue;
        bytes_print(&head, "GET /_sim/echo/authToken=%s HTTP/1.1\r\n" STORE "\r\n",
                    canary->tokens[i]);
        town_ask(&canary->town, head.at);
        clients_close();
        bytes_free(&head);
    }
}

/* The echo is several records long, and the token stands in the last: what was received as a long body is wiped
 * apart. */
static void drive_at_length(const struct canary *canary)
{
    enum { FIELDS = 6, FIELD_BYTES = 8000 };
    struct bytes head = { 0 };
    char pad[FIELD_BYTES + 1];

    memset(pad, 'x', FIELD_BYTES);
    pad[FIELD_BYTES] = '\0';
    bytes_print(&head, "GET /_sim/echo HTTP/1.1\r\n" STORE);
    for (int i = 0; i < FIELDS; i++)
        bytes_print(&head, "X-Pad-%d: %s\r\n", i, pad);
    bytes_print(&head, "\r\n");
    const struct response *response = town_ask(&canary->town, head.at);
    assert_int_equal(response->status, 200);
    assert_true(response->body.n > (size_t)FIELDS * FIELD_BYTES);
    clients_close();
    bytes_free(&head);
}

static void drive(const struct canary *canary)
{
    drive_in_path(canary);
    drive_at_length(canary);
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        const struct response *response = town_ask(&canary->town, requests[i].head);
        if (requests[i].status && response->status != requests[i].status)
            fail_msg("%u instead of %u to %s\n%s%s", response->status, requests[i].status,
                     requests[i].head, response->head, response->body.at);
        if (strstr(response->body.at, "\"source\":\"janus-sidecar\""))
            expect_silence(canary, "an answer", response->body.at, response->body.n);
        clients_close();
    }
}

/* ---- a day
 * ----------------------------------------------------------------------------------------- */

static void note_token(struct canary *canary, size_t i)
{
    expect_status(town_ask(&canary->town, "GET /_sim/echo HTTP/1.1\r\n" STORE "\r\n"), 200);
    clients_close();
    free(canary->tokens[i]);
    canary->tokens[i] = token_at_the_origin(&canary->town);
    assert_non_null(canary->tokens[i]);
}

static unsigned generation_of(const struct town *town)
{
    json_t *report = town_admin(town, "/token", NULL);
    unsigned generation = (unsigned)json_integer_value(json_object_get(report, "generation"));

    json_decref(report);
    return generation;
}

static void await_generation(const struct canary *canary, unsigned generation)
{
    char line[64];

    if (!canary->json) {
        town_await_generation(&canary->town, generation);
        return;
    }
    snprintf(line, sizeof(line), "\"event\":\"token\",\"generation\":%u,", generation);
    process_await_line(canary->town.sidecar, line);
}

/* Until a token of another generation is in use. The log may have told of some already: a refused
 * token is renewed. */
static void rotate(struct canary *canary, const struct source *source, size_t i)
{
    unsigned before = generation_of(&canary->town);

    if (source->write)
        source->write(&canary->town, i);
    if (source->asked)
        process_signal(canary->town.sidecar, SIGHUP);
    await_generation(canary, before + 1);
}

static void first_day(struct canary *canary, const struct source *source,
                      const struct town_plan *plan)
{
    town_found(&canary->town, plan);
    if (source->write)
        source->write(&canary->town, 0);
    town_start(&canary->town, plan);
    await_generation(canary, 1);
}

static struct town_plan plan_of(const struct source *source, const char *scrub, const char *format)
{
    struct town_plan plan = {
        .no_login = source->write || source->environment,
        .environment = source->environment,
        .options = { "--token-sources",
                     kind_of(source),
                     "--log-level",
                     "debug",
                     "--log-format",
                     format,
                     "--trace",
                     "make",
                     "--scrub",
                     scrub,
                     "--token-overlap",
                     "50ms",
                     "--token-retry",
                     "100ms",
                     "--token-retry-max",
                     "100ms",
                     "--token-wait",
                     "500ms",
                     "--pool-idle-timeout",
                     "10m" },
        .dumps = true,
    };
    size_t n = 0;

    while (plan.options[n])
        n++;
    for (size_t i = 0; source->options[i]; i++)
        plan.options[n++] = source->options[i];
    return plan;
}

static void canary_free(struct canary *canary)
{
    for (size_t i = 0; i < CANARIES; i++)
        free(canary->tokens[i]);
}

/* ---- what is written
 * ------------------------------------------------------------------------------- */

static void look_at_pages(const struct canary *canary)
{
    static const char *const pages[] = { "/readyz", "/healthz", "/token", "/metrics", "/nowhere" };

    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        struct client *client = client_new(canary->town.admin_port);
        struct bytes head = { 0 };
        bytes_print(&head, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", pages[i]);
        client_say(client, head.at);
        bytes_free(&head);
        const struct response *response = client_response(client);
        expect_silence(canary, pages[i], response->head, strlen(response->head));
        expect_silence(canary, pages[i], response->body.at, response->body.n);
        client_close(client);
    }
}

static void look_at_command(struct canary *canary, const struct town_plan *plan,
                            const char *command, const char *const *words)
{
    struct process *process = town_run(&canary->town, plan, command, words);

    process_wait(process);
    const char *output = process_output(process), *log = process_log(process);
    if (!*output)
        fail_msg("%s says nothing:\n%s", command, log);
    expect_silence(canary, command, output, strlen(output));
    expect_silence(canary, command, log, strlen(log));
    process_free(process);
}

static void look_at_commands(struct canary *canary, const struct town_plan *plan)
{
#define WORDS(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }
    char admin[32];

    snprintf(admin, sizeof(admin), "127.0.0.1:%u", canary->town.admin_port);
    look_at_command(canary, plan, "token", WORDS("--admin", admin));
    look_at_command(canary, plan, "token", WORDS("--json", "--admin", admin));
    look_at_command(canary, plan, "token", WORDS("--json", "--admin", "127.0.0.1:1"));
    look_at_command(canary, plan, "validate", WORDS("--json"));
    look_at_command(canary, plan, "validate", NULL);
    look_at_command(canary, plan, "explain", WORDS("GET", "https://" SIM_STORE "/x"));
    look_at_command(canary, plan, "check", WORDS("GET", "https://denied.example/x"));
}

static bool has_core(const struct folder *folder)
{
    DIR *dir = opendir(folder_path(folder));
    bool found = false;

    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));)
        found = found || strncmp(entry->d_name, "core", 4) == 0;
    closedir(dir);
    return found;
}

static void expect_no_core(struct canary *canary)
{
    process_signal(canary->town.sidecar, SIGABRT);
    assert_int_equal(process_wait(canary->town.sidecar), ABORTED);
    assert_false(has_core(canary->town.folder));
}

static void written(void **state)
{
    const struct source *source = *state;
    static const char *const scrubs[] = { "mask", "off" }, *const formats[] = { "logfmt", "json" };

    for (size_t i = 0; i < sizeof(scrubs) / sizeof(scrubs[0]); i++) {
        struct town_plan plan = plan_of(source, scrubs[i], formats[i]);
        struct canary canary = { .json = strcmp(formats[i], "json") == 0 };
        first_day(&canary, source, &plan);
        for (size_t day = 0; day < CANARIES; day++) {
            if (day)
                rotate(&canary, source, day);
            note_token(&canary, day);
            drive(&canary);
            look_at_pages(&canary);
        }
        look_at_commands(&canary, &plan);
        sidecar_stop(canary.town.sidecar);
        const char *log = process_log(canary.town.sidecar);
        assert_non_null(strstr(log, i ? "\"outcome\":\"relayed\"" : "outcome=relayed"));
        expect_silence(&canary, "the log", log, strlen(log));
        town_forget(&canary.town);
        canary_free(&canary);
    }
}

/* The tests above would have seen one. */
static void core_elsewhere(void **state)
{
    static const char *const options[] = { "1000", NULL };
    struct folder *folder = folder_new();
    struct process_plan plan = { .folder = "/bin",
                                 .program = "sleep",
                                 .options = options,
                                 .work_folder = folder_path(folder),
                                 .dumps = true };

    (void)state;
    struct process *process = process_start(&plan);
    char path[64], name[64] = "";
    snprintf(path, sizeof(path), "/proc/%d/comm", (int)process_id(process));
    for (int i = 0; i < 200 && strcmp(name, "sleep\n") != 0; i++) {
        wait_any(NULL, 0, now_ms() + 20); /* for execve(), which nobody reports */
        FILE *file = fopen(path, "re");
        assert_non_null(file);
        if (!fgets(name, sizeof(name), file))
            name[0] = '\0';
        fclose(file);
    }
    process_signal(process, SIGABRT);
    assert_int_equal(process_wait(process), ABORTED);
    process_free(process);
    bool found = has_core(folder);
    folder_free(folder);
    if (!found) {
        print_message("skipped: this machine leaves no cores in the working directory\n");
        skip();
    }
}

/* ---- what is in its memory
 * ------------------------------------------------------------------------- */

/* The app's requests have ended; the log and the pages have been asked for. */
static void at_rest(const struct canary *canary)
{
    clients_close();
    wait_any(NULL, 0, now_ms() + 100); /* the overlap: the one event that nobody reports */
    json_decref(town_admin(&canary->town, "/readyz", NULL));
}

static void remembered(void **state)
{
    const struct source *source = *state;
    const char *folder = getenv("JANUS_RELEASE_BIN_DIR");
    struct town_plan plan = plan_of(source, "off", "json");
    struct canary canary = { .json = true };

    if (!folder || !*folder) {
        print_message("skipped: JANUS_RELEASE_BIN_DIR does not name the release build\n");
        skip();
    }
    plan.bin_folder = folder;
    first_day(&canary, source, &plan);
    if (!memory_is_readable(canary.town.sidecar)) {
        town_close(&canary.town);
        print_message("skipped: only root may read the memory of another process\n");
        skip();
    }
    for (size_t day = 0; day < CANARIES; day++) {
        if (day)
            rotate(&canary, source, day);
        drive(&canary);
        note_token(&canary, day);
        at_rest(&canary);
        assert_true(memory_holds(canary.town.sidecar, canary.tokens[day]));
        for (size_t i = 0; i <= day; i++)
            memory_is_clean(canary.town.sidecar, canary.tokens[i], MEMORY_UNLOCKED);
        if (!source->environment)
            memory_is_clean(canary.town.sidecar, TOWN_APPTOKEN, MEMORY_ANYWHERE);
    }
    memory_is_clean(canary.town.sidecar, canary.tokens[0], MEMORY_ANYWHERE);
    expect_no_core(&canary);
    town_forget(&canary.town);
    canary_free(&canary);
}

static struct single singles[] = {
    { "a core elsewhere", core_elsewhere },
};

int main(void)
{
    static struct stories stories;
    static struct source in_memory[sizeof(sources) / sizeof(sources[0])];
    static char names[sizeof(sources) / sizeof(sources[0])][64];

    STORIES_ADD(&stories, sources, written);
    memcpy(in_memory, sources, sizeof(sources));
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        snprintf(names[i], sizeof(names[i]), "%s, in memory", sources[i].name);
        stories_add(&stories, names[i], remembered, &in_memory[i]);
    }
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("canary", &stories, NULL, NULL);
}
