/* check: its replay of our own log, its report for CI. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/flow/kit_run.h"
#include "tests/flow/kit_world.h"

#define API      "Host: api.partner.example\r\n"
#define ME       "--account storeacct "
#define REPLAY   "check " ME "--replay - "
#define IO       "https://app.io.vtex.com/acme.shop/v1/storeacct/master"
#define MANIFEST "api.partner.example\t/v1/*\napp.io.vtex.com\t*\n"

/* Lines of a log. */
#define BEGINNING "time=2026-01-31T12:00:00.000Z level=info event=exchange id=1 client=127.0.0.1:5 "
#define LINE(destination, path, verdict)                                                           \
    BEGINNING "method=GET destination=" destination " path=" path                                  \
              " realm=foreign verdict=" verdict " status=200 outcome=relayed retries=0\n"

static const char provider[] =
    "[{\"name\":\"p\",\"statements\":[\n{\"effect\":\"deny\",\"actions\":[\"get\"],"
    "\"resources\":[\"vrn:acme.shop:{{region}}:{{account}}:{{workspace}}:/secret\"]}]}]";

static void begin(struct run *run)
{
    *run = (struct run){ .folder = folder_new() };
    folder_manifest(run->folder, MANIFEST);
    assert_int_equal(mkdir(folder_name(run->folder, "providers"), 0700), 0);
    folder_write(run->folder, "providers/acme.shop.json", provider);
}

static char *content_of(struct folder *folder, const char *name)
{
    FILE *file = fopen(folder_name(folder, name), "r");
    char *text = calloc(1, 256 * 1024);

    assert_non_null(text);
    if (file) {
        text[fread(text, 1, 256 * 1024 - 1, file)] = '\0';
        fclose(file);
    }
    return text;
}

/* ---- replay
 * ---------------------------------------------------------------------------------------- */

static struct replayed {
    const char *name, *options, *input;
    int code;
    const char *output; /* its beginning */
    const char *summary;
} replayed[] = {
    { "one that stays allowed", REPLAY, LINE("api.partner.example", "/v1/a", "allow"), 0,
      "allow\tGET\thttps://api.partner.example/v1/a\topened by the policy at manifest.json:6:",
      "replayed 1 requests: 1 allow, 0 deny, 0 refuse; 0 changed" },
    { "the dash of check -", "check - " ME "--replay -",
      LINE("api.partner.example", "/v1/a", "allow"), 0, "allow\t", "replayed 1 requests" },
    { "one that is closed now", REPLAY, LINE("api.partner.example", "/v2/a", "allow"), 1,
      "deny\tGET\thttps://api.partner.example/v2/a\t",
      "1 changed (was allowed, now not 1; was not allowed, now allowed 0)" },
    { "one that is open now", REPLAY, LINE("api.partner.example", "/v1/a", "deny"), 0, "allow\t",
      "1 changed (was allowed, now not 0; was not allowed, now allowed 1)" },
    { "--mode report denied it", REPLAY, LINE("api.partner.example", "/v2/a", "would-deny"), 1,
      "deny\t", "0 changed" },
    { "denied then and now", REPLAY, LINE("evil.example", "/", "deny"), 1,
      "deny\tGET\thttps://evil.example/\tno policy names the host evil.example", "0 changed" },
    { "refused then and now", REPLAY, LINE("api.partner.example", "/v1/%zz", "refuse"), 1,
      "refuse\tGET\thttps://api.partner.example/v1/%zz\t", "1 refuse; 0 changed" },
    { "repeats are told once, changes first", REPLAY,
      LINE("api.partner.example", "/v1/a", "allow") LINE("evil.example", "/", "deny")
          LINE("api.partner.example", "/v1/a", "allow") LINE("api.partner.example", "/v1/a", "deny")
              LINE("api.partner.example", "/v1/b", "allow")
                  LINE("api.partner.example", "/v2/a", "allow"),
      1, "deny\tGET\thttps://api.partner.example/v2/a\t",
      "replayed 6 requests: 4 allow, 2 deny, 0 refuse; 2 changed" },
    { "another account in the query", REPLAY,
      BEGINNING
      "method=GET destination=app.io.vtex.com path=/a verdict=allow status=200\n" BEGINNING
      "method=GET destination=storeacct.vtexcommercestable.com.br path=/a an=other "
      "verdict=deny status=403\n",
      1,
      "deny\tGET\thttps://storeacct.vtexcommercestable.com.br/a?an=other\tthe request names "
      "another account",
      "0 changed" },
    { "a part is not the whole", REPLAY,
      BEGINNING "method=GET destination=api.partner.example path=/v1/a path_cut=1 verdict=allow "
                "status=200\n" LINE("api.partner.example", "/v1/b", "allow"),
      0, "allow\tGET\thttps://api.partner.example/v1/b\t", "1 lines not judged (cut 1, broken 0" },
    { "what is broken is counted", REPLAY,
      LINE("api.partner.example", "/v1/b", "allow") BEGINNING "detail=\"\n" BEGINNING
                                                              "method=CONNECT status=405\nready\n",
      0, "allow\t",
      "2 lines not judged (cut 0, broken 1, ended before a verdict 1); 1 other lines" },
    { "nothing to judge", REPLAY, "ready listen=127.0.0.1:8380\n", 2, "", "replayed 0 requests" },
    { "an empty log", REPLAY, "", 2, "", "replayed 0 requests" },
    { "no such log", "check " ME "--replay nowhere.log", NULL, 2, "", "nowhere.log" },
    { "a folder", "check " ME "--replay providers", NULL, 2, "", "providers" },
    { "without a value", "check " ME "--replay", NULL, 2, "", "--replay: error: needs a value" },
    { "twice", "check " ME "--replay a --replay=b", NULL, 2, "",
      "--replay: error: is there twice" },
    { "beside a request", "check " ME "--replay - GET http://a.test/", "", 2, "",
      "leave METHOD URL" },
    { "of a broken manifest", REPLAY "--manifest providers/acme.shop.json", "", 2, "",
      "acme.shop.json:1:" },
};

static void replays(void **state)
{
    const struct replayed *story = *state;
    struct run run;

    begin(&run);
    run_in(&run, story->options, story->input);
    expect_code(&run, story->code);
    const char *output = process_output(run.process);
    if (strncmp(output, story->output, strlen(story->output)) != 0 ||
        (story->output[0] == '\0' && output[0] != '\0'))
        fail_msg("\"%s\" was expected:\n%s", story->output, output);
    expect_in(process_log(run.process), story->summary);
    run_end(&run);
}

static void columns(void **state)
{
    struct run run;

    (void)state;
    begin(&run);
    run_in(&run, REPLAY,
           LINE("api.partner.example", "/v1/a", "allow")
               LINE("api.partner.example", "/v1/a", "deny") LINE("evil.example", "/", "deny"));
    expect_in(process_output(run.process), "in the manifest\t1\tdeny\nallow\t");
    expect_in(process_output(run.process), "path /v1/*)\t2\tallow,deny\n");
    run_in(&run, REPLAY "--json",
           LINE("api.partner.example", "/v1/a", "allow")
               LINE("api.partner.example", "/v1/a", "deny"));
    json_t *line = json_loads(process_output(run.process), JSON_REJECT_DUPLICATES, NULL);
    const json_t *was = json_object_get(line, "was");
    assert_int_equal(json_integer_value(json_object_get(line, "times")), 2);
    assert_int_equal(json_integer_value(json_object_get(was, "allow")), 1);
    assert_int_equal(json_integer_value(json_object_get(was, "deny")), 1);
    assert_string_equal(json_string_value(json_object_get(line, "verdict")), "allow");
    json_decref(line);
    run_end(&run);
}

/* The same manifest says the same of what really went through: nothing that decides is missing. */
static void really_went_through(void **state)
{
    static const char *const targets[] = {
        "/v1/a",
        "/v2/a?x=secret",
        "/v1/../x",
        "/v1/%2e%2e/x",
        "/v1/%zz",
        "/v1/\xc3\xa9\"\\=&;",
        "/v1//a",
        "/",
        "http://evil.example:8443/v1/a",
        "http://storeacct.vtexcommercestable.com.br/api/a?an=other",
        "http://storeacct.vtexcommercestable.com.br/api/b?an=x%20y",
        "http://portal.vtexcommercestable.com.br/api/a?an=other&an=storeacct",
        "http://app.io.vtex.com/acme.x/v1/other/master/y",
        "http://169.254.169.254/latest",
        "http://plain.example:8080/x",
        "http://plain.example/x"
    };
    static const struct plan plan = { .options = { "--plaintext-host", "plain.example" } };
    static struct world own;
    struct run run;
    char id[24];

    (void)state;
    world_open(&own, &plan);
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        struct client *client = world_client(&own);
        struct bytes request = { 0 };
        const char *host = strstr(targets[i], "://");

        if (host)
            bytes_print(&request, "GET %s HTTP/1.1\r\nHost: %.*s\r\n\r\n", targets[i],
                        (int)strcspn(host + 3, "/"), host + 3);
        else
            bytes_print(&request, "GET %s HTTP/1.1\r\n" API "\r\n", targets[i]);
        client_say(client, request.at);
        bytes_free(&request);
        if (strcmp(targets[i], "/v1/a") == 0 || strstr(targets[i], "\xc3\xa9") ||
            strcmp(targets[i], "/v1//a") == 0) {
            struct origin_conn *conn = origin_accept(own.origin);
            origin_head(conn);
            origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
        client_response(client);
        snprintf(id, sizeof(id), "%016zx ", i + 1);
        process_await_line(own.sidecar, id);
    }
    begin(&run);
    folder_manifest(run.folder, world_policies);
    run_in(&run, REPLAY "--plaintext-host plain.example", process_log(own.sidecar));
    expect_code(&run, 1);
    expect_in(process_log(run.process),
              "replayed 16 requests: 3 allow, 12 deny, 1 refuse; 0 changed");
    expect_in(process_log(run.process), "; 0 lines not judged");
    expect_in(process_output(run.process), "\thttps://evil.example:8443/v1/a\t");
    expect_in(process_output(run.process), "\thttp://plain.example:8080/x\t");
    expect_in(process_output(run.process), "\thttp://plain.example/x\t");
    expect_in(process_output(run.process), "br/api/a?an=other\t");
    expect_in(process_output(run.process), "br/api/b?an=%3F\t");
    expect_in(process_output(run.process), "/v1/\xc3\xa9\"\\=&;\t");
    assert_null(strstr(process_output(run.process), "secret"));
    run_end(&run);
    world_close(&own);
}

enum { DIFFERENT = 100000, MORE = 50 };

/* As many as are kept, and a few more, each of them twice. */
static void more_than_are_kept(void **state)
{
    struct bytes log = { 0 };
    struct run run;
    size_t lines = 0;

    (void)state;
    for (int i = 0; i < DIFFERENT + MORE; i++)
        bytes_print(&log, LINE("api.partner.example", "/v1/%d", "allow"), i);
    for (int i = DIFFERENT - MORE; i < DIFFERENT + MORE; i++)
        bytes_print(&log, LINE("api.partner.example", "/v1/%d", "allow"), i);
    begin(&run);
    run_in(&run, REPLAY, log.at);
    bytes_free(&log);
    expect_code(&run, 0);
    expect_in(process_log(run.process), "standard input:100001: warning: more different requests");
    expect_in(process_log(run.process), "replayed 100150 requests: 100150 allow");
    for (const char *at = process_output(run.process); (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, DIFFERENT + 2 * MORE);
    run_end(&run);
}

/* ---- --junit
 * --------------------------------------------------------------------------------------- */

static size_t count_of(const char *text, const char *what)
{
    size_t n = 0;

    for (; (text = strstr(text, what)); text += strlen(what))
        n++;
    return n;
}

/* What of XML 1.0 a report must keep: printable characters, references that are known, attributes that
 * end, elements that close in order. */
static void expect_well_formed(const char *xml)
{
    const char *open[8];
    size_t depth = 0;

    expect_in(xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    for (const char *at = strstr(xml, "?>") + 2; *at; at++) {
        assert_true(*at == '\n' || (*at >= 0x20 && *at < 0x7f));
        assert_int_not_equal(*at, '&'); /* stands in attributes only */
        if (*at != '<')
            continue;
        const char *name = at + 1 + (at[1] == '/');
        bool closes = at[1] == '/', empty;
        for (at = name; *at != '>'; at++) {
            assert_true(*at && *at != '<');
            if (*at != '"')
                continue;
            for (at++; *at != '"'; at++) {
                assert_true(*at >= 0x20 && *at < 0x7f && *at != '<');
                if (*at == '&')
                    assert_true(strncmp(at, "&amp;", 5) == 0 || strncmp(at, "&lt;", 4) == 0 ||
                                strncmp(at, "&gt;", 4) == 0 || strncmp(at, "&quot;", 6) == 0 ||
                                strncmp(at, "&apos;", 6) == 0);
            }
        }
        empty = at[-1] == '/';
        if (closes) {
            assert_true(depth > 0);
            depth--;
            assert_memory_equal(open[depth], name, strcspn(name, " >"));
        } else if (!empty) {
            assert_true(depth < 8);
            open[depth++] = name;
        }
    }
    assert_int_equal(depth, 0);
}

static struct report {
    const char *name, *options, *input;
    int code;
    const char *says[6];
    size_t cases, failures;
} reports[] = {
    { "one request",
      "check " ME "--junit out.xml GET https://api.partner.example/v1/a",
      NULL,
      0,
      { " tests=\"1\" ", " failures=\"0\" ",
        "<testcase classname=\"manifest.json\" name=\"GET https://api.partner.example/v1/a\"/>" },
      1,
      0 },
    { "lines, with all that XML minds",
      "check " ME "--junit=out.xml -",
      "GET https://api.partner.example/v2/<a>&\"'\x01\xff\nGET\nPOST "
      "https://api.partner.example/v1/\n",
      1,
      { " tests=\"3\" ", " failures=\"2\" ",
        "name=\"GET "
        "https://api.partner.example/v2/&lt;a&gt;&amp;&quot;&apos;\\x01\\xff\"><failure ",
        "name=\"GET \"><failure type=\"refuse\" message=\"" },
      3,
      2 },
    { "the place of the rule",
      "check " ME "--provider-policies providers --junit out.xml GET " IO "/secret",
      NULL,
      1,
      { "<failure type=\"deny\" message=\"", "acme.shop.json:2:" },
      1,
      1 },
    { "a replay",
      REPLAY "--junit out.xml",
      LINE("api.partner.example", "/v1/a", "allow") LINE("api.partner.example", "/v2/a", "allow")
          LINE("api.partner.example", "/v2/a", "allow") BEGINNING "detail=\"\n",
      1,
      { " tests=\"3\" ", " failures=\"1\" ", " skipped=\"1\" ", "(2 times in the log; was allow)\"",
        "name=\"1 lines of the log that could not be judged\"><skipped message=" },
      3,
      1 },
    { "nothing to judge is no success",
      REPLAY "--junit out.xml",
      "",
      2,
      { " tests=\"1\" ", " errors=\"1\" ",
        "<error type=\"input\" message=\"nothing was judged\"/>" },
      1,
      0 },
};

static void reports_to_ci(void **state)
{
    const struct report *story = *state;
    struct run run;

    begin(&run);
    run_in(&run, story->options, story->input);
    expect_code(&run, story->code);
    char *xml = content_of(run.folder, "out.xml");
    expect_well_formed(xml);
    for (size_t i = 0; i < 6 && story->says[i]; i++)
        expect_in(xml, story->says[i]);
    assert_int_equal(count_of(xml, "<testcase "), story->cases);
    assert_int_equal(count_of(xml, "<failure "), story->failures);
    free(xml);
    run_end(&run);
}

static struct unwritten {
    const char *name, *options, *says;
} unwritten[] = {
    { "no such folder", "--junit nowhere/out.xml", "--junit: error: nowhere/out.xml cannot" },
    { "a folder", "--junit providers", "--junit: error: providers cannot" },
    { "a device is not replaced", "--junit /dev/full", "it is no ordinary file" },
    { "without a value", "--junit", "--junit: error: needs a value" },
    { "twice", "--junit a --junit b", "--junit: error: is there twice" },
    { "a broken manifest", "--junit out.xml --manifest providers/acme.shop.json",
      "acme.shop.json:1:" },
};

/* Said before anything is judged, and what stood there stays. */
static void cannot_report(void **state)
{
    const struct unwritten *story = *state;
    char options[256];
    struct run run;

    begin(&run);
    folder_write(run.folder, "out.xml", "before");
    snprintf(options, sizeof(options), "check " ME "GET https://api.partner.example/v1/a %s",
             story->options);
    run_in(&run, options, NULL);
    expect_code(&run, 2);
    expect_in(process_log(run.process), story->says);
    assert_string_equal(process_output(run.process), "");
    char *xml = content_of(run.folder, "out.xml");
    assert_string_equal(xml, "before");
    free(xml);
    run_end(&run);
}

static struct single singles[] = {
    { "columns and objects of a replay", columns },
    { "what really went through", really_went_through },
    { "more requests than are kept", more_than_are_kept },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, replayed, replays);
    STORIES_ADD(&stories, reports, reports_to_ci);
    STORIES_ADD(&stories, unwritten, cannot_report);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("check", &stories, NULL, NULL);
}
