/* The log from outside: its forms and places, what an exchange leaves in it, and what nothing may put there. */
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/flow/kit_run.h"
#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define HOST        "Host: any.partner.example\r\n"
#define GET         "GET /a HTTP/1.1\r\n" HOST "\r\n"
#define OK          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define ID          "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT      "00f067aa0ba902b7"
#define TRACE       "00-" ID "-" PARENT "-01"
#define EIGHT(part) part part part part part part part part
#define LONG        "eyJhbGciOiJFUzI1NiJ9.eyJzdWIi" EIGHT(EIGHT("SECRETIOiJh")) ".c2lnbmF0dXJl"
#define JWT         "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"

static struct world world;

static void relay(const char *request)
{
    struct client *client = world_client(&world);

    client_say(client, request);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    client_close(client);
    origin_settle(world.origin);
}

/* ---- one line an exchange ---- */

static json_t *exchange_of(const char *line)
{
    json_t *object =
        json_loads(strchr(line, '{') ? strchr(line, '{') : line, JSON_REJECT_DUPLICATES, NULL);

    if (!object)
        fail_msg("this is no object: %s", line);
    assert_string_equal(json_string_value(json_object_get(object, "event")), "exchange");
    return object;
}

/* Every key that docs/log.md promises of a request that was relayed over a new connection. */
static void json_has_it_all(void **state)
{
    static const struct plan plan = { .options = { "--log-format", "json" } };
    static const char *const texts[] = { "time",      "level",       "id",      "client",
                                         "method",    "destination", "path",    "realm",
                                         "verdict",   "identity",    "outcome", "trace_id",
                                         "parent_id", NULL };
    static const char *const numbers[] = { "rule_line",  "status",   "bytes_up",
                                           "bytes_down", "total_us", "ours_us",
                                           "origin_us",  "reused",   "first_byte_us",
                                           "connect_us", "resumed",  "retries",
                                           NULL };

    (void)state;
    world_open(&world, &plan);
    relay("POST /a%20b?secret=1 HTTP/1.1\r\n" HOST "traceparent: " TRACE
          "\r\nContent-Length: 0\r\n\r\n");
    char *line = process_await(world.sidecar, "\"event\":\"exchange\"");
    json_t *object = exchange_of(line);
    for (size_t i = 0; texts[i]; i++)
        assert_true(json_is_string(json_object_get(object, texts[i])));
    for (size_t i = 0; numbers[i]; i++)
        assert_true(json_is_integer(json_object_get(object, numbers[i])));
    assert_string_equal(json_string_value(json_object_get(object, "path")), "/a%20b");
    assert_string_equal(json_string_value(json_object_get(object, "trace_id")), ID);
    assert_null(strstr(line, "secret"));
    json_int_t total = json_integer_value(json_object_get(object, "total_us"));
    assert_true(total >= json_integer_value(json_object_get(object, "ours_us")));
    assert_true(total >= json_integer_value(json_object_get(object, "first_byte_us")));
    json_decref(object);
    free(line);
    world_close(&world);
}

/* ---- what foreign bytes cannot do ---- */

static struct injection {
    const char *name, *request;
} injections[] = {
    { "quotes and a new field in the path",
      "GET /\",\"verdict\":\"allow\",\"x\":\" HTTP/1.1\r\nHost: evil.example\r\n\r\n" },
    { "logfmt in the path", "GET /a=b\"verdict=allow HTTP/1.1\r\nHost: evil.example\r\n\r\n" },
    { "a line end, escaped", "GET /a%0alevel=error HTTP/1.1\r\nHost: evil.example\r\n\r\n" },
    { "bytes beyond ASCII", "GET /\xff\xfe\xc3\xa9 HTTP/1.1\r\nHost: evil.example\r\n\r\n" },
    { "a backslash at the end", "GET /a\\ HTTP/1.1\r\nHost: evil.example\r\n\r\n" },
    { "a method of its own", "X-\x21\x23$ /a HTTP/1.1\r\nHost: evil.example\r\n\r\n" },
    { "a traceparent that is none",
      "GET /a HTTP/1.1\r\nHost: evil.example\r\ntraceparent: \",\"verdict\":\"allow\r\n\r\n" },
    { "a traceparent of another form",
      "GET /a HTTP/1.1\r\nHost: evil.example\r\ntraceparent: " TRACE "-\"\r\n\r\n" },
};

static void is_a_value(void **state)
{
    static const struct plan plan = { .options = { "--log-format", "json" } };
    const struct injection *row = *state;

    world_open(&world, &plan);
    assert_true(world_refused(&world, row->request)->status >= 400);
    char *line = process_await(world.sidecar, "\"event\":\"exchange\"");
    for (const char *at = line; *at; at++)
        assert_true((unsigned char)*at >= 0x20 && (unsigned char)*at < 0x7f);
    json_t *object = exchange_of(line);
    const char *verdict = json_string_value(json_object_get(object, "verdict"));
    assert_true(!verdict || strcmp(verdict, "allow") != 0);
    assert_null(json_object_get(object, "trace_id"));
    json_decref(object);
    free(line);
    world_close(&world);
}

/* ---- what never gets there ---- */

static struct secret {
    const char *name, *request;
    unsigned status;
} secrets[] = {
    { "in the query", "GET /a?authToken=SECRET HTTP/1.1\r\n" HOST "\r\n", 0 },
    { "in the path", "GET /authToken=SECRET/b HTTP/1.1\r\n" HOST "\r\n", 0 },
    { "in a parameter of the path", "GET /a;authToken=SECRET HTTP/1.1\r\n" HOST "\r\n", 0 },
    { "escaped in the path", "GET /authToken%3DSECRET HTTP/1.1\r\n" HOST "\r\n", 0 },
    { "a token in the path", "GET /" JWT "/b HTTP/1.1\r\n" HOST "\r\n", 0 },
    { "a token in the path that is longer than the log's room for it",
      "GET /" LONG " HTTP/1.1\r\n" HOST "\r\n", 0 },
    { "a token in the path that is denied and longer than the log's room",
      "GET /" LONG " HTTP/1.1\r\nHost: api.partner.example\r\n\r\n", 403 },
    { "a token with escaped dots in the path",
      "GET /eyJhbGciOiJFUzI1NiJ9%2EeyJzdWIiOiJhIn0%2ESECRET HTTP/1.1\r\n" HOST "\r\n", 0 },
    { "a token in the path that is denied",
      "GET /" JWT " HTTP/1.1\r\nHost: api.partner.example\r\n\r\n", 403 },
    { "a parameter of the path that is denied",
      "GET /v2;authToken=SECRET HTTP/1.1\r\nHost: api.partner.example\r\n\r\n", 403 },
    { "a cookie",
      "GET /a HTTP/1.1\r\n" HOST "Cookie: VtexIdclientAutCookie=SECRET; a=SECRET\r\n\r\n", 0 },
    { "an authorization", "GET /a HTTP/1.1\r\n" HOST "Authorization: Bearer SECRET\r\n\r\n", 0 },
    { "a key", "GET /a HTTP/1.1\r\n" HOST "X-VTEX-API-AppToken: SECRET\r\n\r\n", 0 },
    { "a trace's state", "GET /a HTTP/1.1\r\n" HOST "tracestate: a=SECRET\r\n\r\n", 0 },
};

static void is_not_logged(void **state)
{
    static const char *const formats[] = { "json", "logfmt" };
    const struct secret *row = *state;

    for (size_t i = 0; i < 2; i++) {
        const struct plan plan = { .options = { "--log-format", formats[i], "--log-level",
                                                "debug" } };
        world_open(&world, &plan);
        if (row->status)
            expect_status(world_refused(&world, row->request), row->status);
        else
            relay(row->request);
        free(process_await(world.sidecar, i ? "event=exchange" : "\"event\":\"exchange\""));
        sidecar_stop(world.sidecar);
        const char *log = process_log(world.sidecar);
        if (strstr(log, "SECRET") || strstr(log, JWT))
            fail_msg("%s", log);
        world_forget(&world);
    }
}

/* ---- files ---- */

/* Until the file holds it; the log leaves when the loop's turn ends. */
static void await_content(const char *path, const char *says)
{
    char bytes[16384];

    for (long long until = now_ms() + PATIENCE_MS; now_ms() < until;
         wait_any(NULL, 0, now_ms() + 5)) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes) - 1);
        if (fd >= 0)
            close(fd);
        bytes[n > 0 ? n : 0] = '\0';
        if (strstr(bytes, says))
            return;
    }
    fail_msg("%s does not say %s:\n%s", path, says, bytes);
}

/* A world whose log is a file in its own folder. `format`: logfmt or json. */
static void open_with_file(const char *format)
{
    const struct plan plan = { .options = { "--log", "file:side.log", "--log-format", format } };

    world_open(&world, &plan);
}

static void rotated(void **state)
{
    struct stat status;

    (void)state;
    open_with_file("logfmt");
    const char *log = folder_name(world.folder, "side.log"),
               *old = folder_name(world.folder, "side.log.1");
    relay("GET /before HTTP/1.1\r\n" HOST "\r\n");
    await_content(log, "path=/before");
    assert_int_equal(stat(log, &status), 0);
    assert_int_equal(status.st_mode & 0137, 0); /* 0640, or less by our umask */
    assert_int_equal(rename(log, old), 0);
    relay("GET /between HTTP/1.1\r\n" HOST "\r\n");
    await_content(old, "path=/between");
    process_signal(world.sidecar, SIGHUP);
    await_content(log, "level="); /* the reload says what it did */
    relay("GET /after HTTP/1.1\r\n" HOST "\r\n");
    await_content(log, "path=/after");
    assert_null(strstr(process_log(world.sidecar), "event=")); /* none of it on standard error */
    world_close(&world);
}

static void kept(void **state)
{
    (void)state;
    open_with_file("json");
    const char *log = folder_name(world.folder, "side.log"),
               *old = folder_name(world.folder, "side.log.1");
    assert_int_equal(rename(log, old), 0);
    assert_int_equal(symlink("elsewhere", log), 0);
    process_signal(world.sidecar, SIGHUP);
    await_content(old, "\"event\":\"log_kept\"");
    relay(GET);
    await_content(old, "\"event\":\"exchange\"");
    assert_int_not_equal(access(folder_name(world.folder, "elsewhere"), F_OK), 0);
    world_close(&world);
}

/* What one wrote the other reads: learn and check over JSON. */
static void learned_from(void **state)
{
    struct run run;

    (void)state;
    open_with_file("json");
    relay("GET /v1/orders/1 HTTP/1.1\r\n" HOST "\r\n");
    relay("GET /v1/orders/\"2\" HTTP/1.1\r\n" HOST "\r\n");
    relay("GET /" JWT " HTTP/1.1\r\n" HOST "\r\n");
    await_content(folder_name(world.folder, "side.log"), "path_masked");
    run = (struct run){ .folder = world.folder };
    run_in(&run, "learn --account storeacct --fresh --from side.log", NULL);
    expect_code(&run, 0);
    expect_in(process_output(run.process), "Learned from 2 requests (2 allowed)");
    expect_in(process_output(run.process), "any.partner.example");
    run_in(&run, "check --account storeacct --manifest manifest.json --replay side.log", NULL);
    expect_code(&run, 0);
    expect_in(process_output(run.process), "any.partner.example/v1/orders/");
    process_free(run.process);
    world_close(&world);
}

static struct unusable {
    const char *name, *option, *says;
} unusables[] = {
    { "a folder that is not there", "file:/nowhere/side.log",
      "/nowhere/side.log cannot be opened" },
    { "a device", "file:/dev/null", "it is not a regular file" },
    { "a folder", "file:/tmp", "/tmp cannot be opened" },
    { "no syslog", "syslog:/nowhere/log", "/nowhere/log cannot be opened" },
};

static void does_not_start(void **state)
{
    const struct unusable *row = *state;
    struct folder *folder = folder_new();
    const char *options[] = { "run",
                              "--account",
                              "storeacct",
                              "--manifest",
                              folder_manifest(folder, world_policies),
                              "--listen",
                              "127.0.0.1:0",
                              "--admin",
                              "127.0.0.1:0",
                              "--log",
                              row->option,
                              NULL };
    struct process_plan plan = { .program = "janus-sidecar", .options = options };
    struct process *process = process_start(&plan);

    assert_int_equal(process_wait(process), 2);
    if (!strstr(process_log(process), row->says))
        fail_msg("%s", process_log(process));
    process_free(process);
    folder_free(folder);
}

/* ---- syslog ---- */

static int daemon_fd = -1;

static int take_socket(struct folder *folder)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    snprintf(at.sun_path, sizeof(at.sun_path), "%s", folder_name(folder, "syslog"));
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

static struct folder *open_with_syslog(void)
{
    static char target[128];
    struct folder *folder = folder_new();
    const struct plan plan = { .options = { "--log", target } };

    daemon_fd = take_socket(folder);
    snprintf(target, sizeof(target), "syslog:%s", folder_name(folder, "syslog"));
    world_open(&world, &plan);
    return folder;
}

static const char *next_datagram(void)
{
    static char line[8192];

    wait_for(daemon_fd, POLLIN, "a line of syslog");
    ssize_t n = recv(daemon_fd, line, sizeof(line) - 1, 0);
    assert_true(n > 0);
    line[n] = '\0';
    return line;
}

static void to_syslog(void **state)
{
    char start[64];
    const char *line;

    (void)state;
    struct folder *folder = open_with_syslog();
    relay(GET);
    do
        line = next_datagram();
    while (!strstr(line, "event=exchange"));
    snprintf(start, sizeof(start), "<30>janus-sidecar[%d]: time=", (int)process_id(world.sidecar));
    assert_memory_equal(line, start, strlen(start));
    world_close(&world);
    close(daemon_fd);
    folder_free(folder);
}

static double metric(const char *sample)
{
    struct client *client = client_new(world.admin_port);

    client_say(client, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const struct response *response = client_response(client);
    const char *at = strstr(response->body.at, sample);
    assert_non_null(at);
    double value = strtod(at + strlen(sample), NULL);
    client_close(client);
    return value;
}

/* Nobody takes the lines: every request is answered all the same, what is lost is counted, and when somebody
 * takes them again, the log itself says how many. No line is sent twice, and none is lost uncounted. */
static void never_waits(void **state)
{
    enum { BATCH = 200, MOST = 5000 };
    static const char dropped[] = "\njanus_sidecar_log_lines_dropped_total";
    unsigned long asked = 0, seen = 0, told = 0;

    (void)state;
    struct folder *folder = open_with_syslog();
    while (asked < MOST && metric(dropped) < 1) {
        struct client *client = world_client(&world);
        for (int i = 0; i < BATCH; i++, asked++) {
            client_say(client, "GET /a HTTP/1.1\r\nHost: denied.example\r\n\r\n");
            expect_status(client_response(client), 403);
        }
        client_close(client);
    }
    double lost = metric(dropped);
    assert_true(lost > 0);
    while (!told) {
        const char *line = next_datagram();
        seen += strstr(line, "event=exchange") != NULL;
        const char *count = strstr(line, "event=log_lines_dropped count=");
        told = count ? strtoul(strrchr(count, '=') + 1, NULL, 10) : 0;
    }
    assert_true(metric(dropped) >= lost && metric(dropped) <= (double)told);
    assert_int_equal(seen + told, asked);
    world_close(&world);
    close(daemon_fd);
    folder_free(folder);
}

/* ---- repeats ---- */

static void held_back(void **state)
{
    enum { TIMES = 35 };
    unsigned said = 0;

    (void)state;
    world_open(&world, NULL);
    for (int i = 0; i < TIMES; i++) {
        struct client *client = client_new(world.admin_port);
        client_say(client, "POST /reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        expect_status(client_response(client), 200);
        client_close(client);
    }
    sidecar_stop(world.sidecar);
    const char *log = process_log(world.sidecar);
    for (const char *at = log; (at = strstr(at, "event=asked message")); at++)
        said++;
    assert_int_equal(said, 10);
    if (!strstr(log, "event=repeated of=asked count=25 message=\"POST /reload\""))
        fail_msg("%s", log);
    world_forget(&world);
}

/* ---- traces ---- */

static struct passing {
    const char *name, *mode, *headers;
    const char *arrives; /* at the origin; NULL: none, "": one of ours */
    const char *state;   /* tracestate there */
    bool logged;
} passings[] = {
    { "a good one passes", "pass", "traceparent: " TRACE "\r\ntracestate: a=b\r\n", TRACE, "a=b",
      true },
    { "a bad one passes and is not logged", "pass", "traceparent: nonsense\r\ntracestate: a=b\r\n",
      "nonsense", "a=b", false },
    { "without one there is none", "pass", "", NULL, NULL, false },
    { "a good one stays", "make", "traceparent: " TRACE "\r\ntracestate: a=b\r\n", TRACE, "a=b",
      true },
    { "without one, one is made", "make", "", "", NULL, true },
    { "a bad one is replaced, and its state goes", "make",
      "traceparent: 00-" ID "-0000000000000000-01\r\ntracestate: a=b\r\n", "", NULL, true },
    { "two are none", "make", "traceparent: " TRACE "\r\ntraceparent: " TRACE "\r\n", "", NULL,
      true },
};

static void passes(void **state)
{
    const struct passing *row = *state;
    const struct plan plan = { .options = { "--trace", row->mode } };
    char request[512];

    world_open(&world, &plan);
    snprintf(request, sizeof(request), "GET /a HTTP/1.1\r\n" HOST "%s\r\n", row->headers);
    char *head = world_exchange(&world, request);
    char *parent = head_field(head, "traceparent"), *its_state = head_field(head, "tracestate");
    char *line = process_await(world.sidecar, "event=exchange"), *id = strstr(line, " trace_id=");
    assert_int_equal(id != NULL, row->logged);
    if (!row->arrives)
        assert_null(parent);
    else if (*row->arrives)
        assert_string_equal(parent, row->arrives);
    else
        assert_int_equal(strlen(parent), strlen(TRACE));
    if (row->logged)
        assert_memory_equal(id + strlen(" trace_id="), parent + 3, strlen(ID));
    if (row->state)
        assert_string_equal(its_state, row->state);
    else
        assert_null(its_state);
    assert_true(head_count(head, "traceparent") == (row->arrives != NULL));
    free(line);
    free(parent);
    free(its_state);
    free(head);
    world_close(&world);
}

static struct single singles[] = {
    { "JSON has it all", json_has_it_all },
    { "a file is opened anew", rotated },
    { "a file that cannot be opened anew is kept", kept },
    { "learn and check read JSON", learned_from },
    { "syslog takes lines", to_syslog },
    { "a log that nobody reads stops nothing", never_waits },
    { "the same again and again", held_back },
};

static void run_single(void **state)
{
    ((const struct single *)*state)->run(state);
}

int main(void)
{
    static struct stories all;

    STORIES_ADD(&all, singles, run_single);
    STORIES_ADD(&all, injections, is_a_value);
    STORIES_ADD(&all, secrets, is_not_logged);
    STORIES_ADD(&all, unusables, does_not_start);
    STORIES_ADD(&all, passings, passes);
    return flow_run("log", &all, NULL, NULL);
}
