/* learn: from a log of ours to policies, and what it says when there is nothing to learn from. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_run.h"
#include "tests/flow/kit_world.h"

#define API   "Host: api.partner.example\r\n"
#define LEARN "learn --account storeacct --from - "

#define BEGINNING "time=2026-01-31T12:00:00.000Z level=info event=exchange id=1 client=127.0.0.1:5 "
#define LINE_AS(destination, path, verdict, outcome)                                               \
    BEGINNING "method=GET destination=" destination " path=" path                                  \
              " realm=foreign verdict=" verdict " status=200 outcome=" outcome " retries=0\n"
#define LINE(destination, path, verdict) LINE_AS(destination, path, verdict, "relayed")
#define ORDER(id)                        LINE("api.partner.example", "/v1/orders/" id, "allow")

#define MANIFEST "api.partner.example\t/v1/*\nnever.example\t/x\n"

static void begin(struct run *run)
{
    *run = (struct run){ .folder = folder_new() };
    folder_manifest(run->folder, MANIFEST);
    folder_write(run->folder, "number.json", "{\n\"policies\": 7}");
    folder_write(run->folder, "orders.log", ORDER("1") ORDER("2") ORDER("3"));
}

/* ---- for people ---- */

static struct said {
    const char *name, *options, *input;
    int code;
    const char *output[6], *never; /* NULL: do not look */
    const char *log;
} said[] = {
    { "ids fold, and each policy has its evidence",
      LEARN "--fresh",
      ORDER("1") ORDER("2") ORDER("3") ORDER("3"),
      0,
      { "Learned from 4 requests (4 allowed), 2026-01-31T12:00:00.000Z to ",
        "[\n  {\"name\": \"outbound-access\", \"attrs\": {\"host\": \"api.partner.example\", "
        "\"path\": \"/v1/orders/*\"}}\n]",
        "  1. api.partner.example/v1/orders/*\n     4 requests (4 allowed), 3 paths, such as GET "
        "api.partner.example/v1/orders/1\n     * stands for 3 values" },
      "\"*\"",
      NULL },
    { "of a file",
      "learn --account storeacct --fresh --from orders.log",
      NULL,
      0,
      { "\"/v1/orders/*\"" },
      NULL,
      NULL },
    { "what is open today is kept, with its place",
      LEARN,
      ORDER("1"),
      0,
      { "nothing to add", "Kept,",
        "manifest.json:6:5  outbound-access, host api.partner.example, "
        "path /v1/*: 1 request (1 allowed)" },
      NULL,
      NULL },
    { "what was never used, with its place",
      LEARN,
      ORDER("1"),
      0,
      { "Never used by these requests:\n\n  manifest.json:7:5  outbound-access, host "
        "never.example" },
      NULL,
      NULL },
    { "without a manifest",
      LEARN "--manifest manifest.json --fold 2",
      LINE("a.test", "/1", "would-deny") LINE("a.test", "/x/1", "would-deny")
          LINE("a.test", "/x/2", "would-deny"),
      0,
      { "3 would be denied", "\"path\": \"/x/*\"" },
      NULL,
      NULL },
    { "what was denied stands apart",
      LEARN,
      LINE_AS("evil.test", "/a", "deny", "outbound_access_denied"),
      0,
      { "1 denied", "nothing to add for what passed", "DENIED until now", "\"evil.test\"" },
      NULL,
      NULL },
    { "what was refused is none",
      LEARN,
      ORDER("1") LINE_AS("evil.test", "/a", "refuse", "bad_request"),
      0,
      { "1 refused as malformed (400)" },
      "evil.test",
      NULL },
    { "an address that a name led to",
      LEARN,
      ORDER("1") LINE_AS("inner.test", "/a", "allow", "address_denied"),
      0,
      { "1 stopped by the address" },
      "inner.test",
      NULL },
    { "lines that are cut, broken, or not ours",
      LEARN,
      ORDER("1") BEGINNING "path=/a path=/b status=200\n" BEGINNING "method=GET "
                           "destination=a.test path=/cut path_cut=1 verdict=allow status=200\nhi\n",
      0,
      { "1 lines whose path was cut", "1 lines that could not be read", "Learned from 1 request " },
      "a.test",
      NULL },
    { "an escape sequence does not reach the terminal",
      LEARN,
      LINE("a.test", "\"/\\x9b31m\"", "allow") ORDER("1"),
      0,
      { "Learned from 2 requests", "GET a.test/\\x9b31m: 1 request (1 allowed); the path" },
      "\x9b",
      NULL },

    { "no log", "learn --account storeacct", NULL, 2, { NULL }, NULL, "--from" },
    { "a log that is not there",
      "learn --account storeacct --from nowhere.log",
      NULL,
      2,
      { NULL },
      NULL,
      "nowhere.log: error: cannot be read" },
    { "a folder", "learn --account storeacct --from .", NULL, 2, { NULL }, NULL, "cannot be read" },
    { "an empty log", LEARN, "", 2, { NULL }, NULL, "no line tells of a judged request" },
    { "a log of something else", LEARN, "GET / 200\n", 2, { NULL }, NULL, "no line tells" },
    { "a broken manifest",
      LEARN "--manifest number.json",
      ORDER("1"),
      2,
      { NULL },
      NULL,
      "number.json:2:" },
    { "a manifest that is named and not there",
      LEARN "--manifest nowhere.json",
      ORDER("1"),
      2,
      { NULL },
      NULL,
      "nowhere.json" },
    { "--fold 0", LEARN "--fold 0", ORDER("1"), 2, { NULL }, NULL, "--fold: error: expects" },
    { "--fold of letters",
      LEARN "--fold-words many",
      ORDER("1"),
      2,
      { NULL },
      NULL,
      "--fold-words: error: expects" },
    { "--fold without a value", LEARN "--fold", ORDER("1"), 2, { NULL }, NULL, "needs a value" },
    { "no account", "learn --from orders.log", NULL, 2, { NULL }, NULL, "--account" },
    { "an unknown option", LEARN "--fould 3", ORDER("1"), 2, { NULL }, NULL, "--fould" },
};

static void says(void **state)
{
    const struct said *story = *state;
    struct run run;

    begin(&run);
    run_in(&run, story->options, story->input);
    expect_code(&run, story->code);
    for (size_t i = 0; i < 6 && story->output[i]; i++)
        expect_in(process_output(run.process), story->output[i]);
    if (story->never && strstr(process_output(run.process), story->never))
        fail_msg("\"%s\" must not be there:\n%s", story->never, process_output(run.process));
    if (story->code == 2)
        assert_string_equal(process_output(run.process), "");
    if (story->log)
        expect_in(process_log(run.process), story->log);
    run_end(&run);
}

/* ---- for machines ---- */

static void one_object(void **state)
{
    struct run run;
    json_t *root;
    const char *name, *host, *path;
    int allowed, denied;
    long long paths, folded, line;

    (void)state;
    begin(&run);
    run_in(&run, LEARN "--json",
           LINE("a.test", "/o/1", "allow") LINE("a.test", "/o/2", "allow")
               LINE("a.test", "/o/3", "allow") LINE("b.test", "/", "deny") ORDER("1")
                   LINE("a.test", "/caf\\xe9", "allow"));
    expect_code(&run, 0);
    root = json_loads(process_output(run.process), 0, NULL);
    assert_non_null(root);
    assert_int_equal(json_unpack(root,
                                 "{s:[{s:{s:s, s:{s:s, s:s}}, s:{s:{s:i}, s:I, s:[I]}}], "
                                 "s:[{s:{s:{s:s}}, s:{s:{s:i}}}], s:[{s:I}], s:[{s:I}]}",
                                 "policies", "policy", "name", &name, "attrs", "host", &host,
                                 "path", &path, "evidence", "seen", "allowed", &allowed,
                                 "distinctPaths", &paths, "folded", &folded, "policiesForDenied",
                                 "policy", "attrs", "host", &host, "evidence", "seen", "denied",
                                 &denied, "unused", "line", &line, "kept", "line", &line),
                     0);
    assert_string_equal(name, "outbound-access");
    assert_string_equal(path, "/o/*");
    assert_string_equal(host, "b.test");
    assert_int_equal(allowed, 3);
    assert_int_equal(denied, 1);
    assert_int_equal(paths, 3);
    assert_int_equal(folded, 3);
    assert_int_equal(line, 6);
    json_decref(root);
    run_end(&run);
}

/* ---- from beginning to end ---- */

static struct world own;

/* A sidecar in report mode without policies; what is learned from its log lets the same pass. */
static void what_really_went_through(void **state)
{
    static const struct plan plan = { .policies = "none.example\t/\n",
                                      .options = { "--mode", "report" } };
    static const char *const targets[] = { "/v1/orders/1", "/v1/orders/2", "/v1/orders/3?x=1",
                                           "/v1/feed", "/caf%C3%A9" };
    struct run run = { .folder = folder_new() };
    char request[256], *policies, *manifest = NULL;
    size_t size = 0;
    json_t *root;

    (void)state;
    world_open(&own, &plan);
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" API "\r\n", targets[i]);
        free(world_exchange(&own, request));
    }
    sidecar_stop(own.sidecar);
    run_in(&run, LEARN "--json", process_log(own.sidecar));
    expect_code(&run, 0);
    root = json_loads(process_output(run.process), 0, NULL);
    assert_non_null(root);
    FILE *out = open_memstream(&manifest, &size);
    fputs("{\"policies\": [", out);
    for (size_t i = 0; i < json_array_size(json_object_get(root, "policies")); i++) {
        policies = json_dumps(
            json_object_get(json_array_get(json_object_get(root, "policies"), i), "policy"), 0);
        fprintf(out, "%s%s", i ? "," : "", policies);
        free(policies);
    }
    fputs("]}", out);
    fclose(out);
    folder_write(run.folder, "learned.json", manifest);
    run_in(&run, "check --account storeacct --manifest learned.json --replay -",
           process_log(own.sidecar));
    expect_code(&run, 0);
    expect_in(process_log(run.process), "replayed 5 requests: 5 allow");
    free(manifest);
    json_decref(root);
    run_end(&run);
    world_forget(&own);
}

static struct single singles[] = {
    { "--json is one object", one_object },
    { "what really went through", what_really_went_through },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, said, says);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("learn", &stories, NULL, NULL);
}
