/* What the release build ($JANUS_RELEASE_BIN_DIR) costs at rest, and after much work: nothing wakes it but its timers,
 * and its memory after 10,000 mixed requests and 100 reloads is that after 1,000. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_stage.h"
#include "tests/flow/kit_wait.h"

enum {
    REST_MS = 21000,
    POLL_MS = 10000, /* WATCH_POLL_MS: what inotify cannot tell is looked for so often */
    WATCHES = 3,     /* manifest, token, CA file */
    FIRST = 1000,
    ALL = 10000,
    RELOADS = 100,
    PERCENT = 5,
};

static const char *release_folder(void)
{
    const char *folder = getenv("JANUS_RELEASE_BIN_DIR");

    if (folder && *folder)
        return folder;
    print_message("skipped: JANUS_RELEASE_BIN_DIR does not name the release build\n");
    skip();
    return NULL;
}

/* ---- at rest
 * --------------------------------------------------------------------------------------- */

/* How often it has gone to sleep: once for each time that it was woken. */
static long sleeps_of(const struct process *process)
{
    static const char key[] = "\nvoluntary_ctxt_switches:";
    char path[64], text[4096];

    snprintf(path, sizeof(path), "/proc/%d/status", (int)process_id(process));
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t n = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[n] = '\0';
    const char *line = strstr(text, key);
    assert_non_null(line);
    return strtol(line + strlen(key), NULL, 10);
}

/* Each watch looks by itself twice in this time; a page of the log or a page fault may make it sleep once more. */
static void sleeps(void **state)
{
    struct plan plan = { .bin_folder = release_folder() };
    struct world own;

    (void)state;
    world_open(&own, &plan);
    process_await_line(own.sidecar, "event=token generation=1");
    world_settle(&own);
    free(world_exchange(&own, "GET /v1/a HTTP/1.1\r\nHost: api.partner.example\r\n\r\n"));
    wait_any(NULL, 0, now_ms() + 500);
    long before = sleeps_of(own.sidecar), cpu = process_cpu_ms(own.sidecar);
    wait_any(NULL, 0, now_ms() + REST_MS);
    long woken = sleeps_of(own.sidecar) - before, used = process_cpu_ms(own.sidecar) - cpu;
    print_message("%d s of rest: woken %ld times, %ld ms of processor time\n", REST_MS / 1000,
                  woken, used);
    assert_in_range(woken, 0, (REST_MS / POLL_MS + 1) * WATCHES + 3);
    assert_in_range(used, 0, 30);
    world_close(&own);
}

/* ---- after much work
 * ------------------------------------------------------------------------------- */

static struct stage stage;

struct load {
    unsigned n, from;
    char why[300];
};

/* Small and large, up and down, by length and in chunks, denied, on kept connections and new ones. */
static struct request mixed(unsigned i)
{
    struct request request =
        stage_get(i % 5 == 4 ? STAGE_DENIED : STAGE_FOREIGN, i, 100 + i % 7 * 9000);

    request.script.framing = i % 3 ? FRAMED_BY_LENGTH : FRAMED_BY_CHUNKS;
    request.denied = i % 5 == 4;
    request.last = i % 11 == 0;
    if (i % 4 == 1 && !request.denied) {
        request.method = "POST";
        request.framing = i % 8 == 1 ? UPLOAD_LENGTH : UPLOAD_CHUNKED;
        request.upload = 50 + i % 9 * 3000;
        request.upload_seed = i;
    }
    return request;
}

static void ask(void *arg)
{
    struct load *load = arg;
    struct caller caller;
    struct reply reply;

    caller_init(&caller, stage.world.port);
    caller.patience_s = 20;
    for (unsigned i = load->from; i < load->from + load->n && !load->why[0]; i++) {
        struct request request = mixed(i);
        caller_ask(&caller, &request, &reply);
        bool expected = request.denied ? reply.status == 403 : reply.result == RESULT_RIGHT;
        if (!expected)
            snprintf(load->why, sizeof(load->why), "request %u: %s (%u) %s", i,
                     result_name(reply.result), reply.status, reply.why);
    }
    caller_fini(&caller);
}

static void send_mixed(unsigned from, unsigned n)
{
    struct load load = { .n = n, .from = from };

    stage_run(ask, &load);
    if (load.why[0])
        fail_msg("%s", load.why);
    process_forget_log(stage.world.sidecar);
}

static void reload(struct folder *place, int i)
{
    folder_replace(place, "settings.json",
                   i % 2 ? "{ \"via\": \"on\", \"max-requests\": 5000 }" : "{ \"via\": \"off\" }");
    folder_manifest(stage.world.folder, world_policies);
    process_signal(stage.world.sidecar, SIGHUP);
    process_await_line(stage.world.sidecar, "event=settings_reloaded");
    process_await_line(stage.world.sidecar, "event=reloaded");
}

static void keeps_its_size(void **state)
{
    struct folder *place = folder_new();
    struct plan plan = { .bin_folder = release_folder(),
                         .options = { "--config", folder_write(place, "settings.json", "{}") } };

    (void)state;
    stage_open(&stage, &plan, false);
    send_mixed(0, FIRST);
    size_t before = process_now_kib(stage.world.sidecar);
    for (int i = 0; i < RELOADS; i++) {
        send_mixed(FIRST + (unsigned)i * (ALL - FIRST) / RELOADS, (ALL - FIRST) / RELOADS);
        reload(place, i + 1);
    }
    size_t after = process_now_kib(stage.world.sidecar);
    print_message("%zu KiB after %d requests, %zu KiB after %d and %d reloads\n", before, FIRST,
                  after, ALL, RELOADS);
    if (after > before + before * PERCENT / 100)
        fail_msg("it grew from %zu KiB to %zu KiB", before, after);
    stage_close(&stage);
    folder_free(place);
}

static struct single singles[] = {
    { "nothing but its timers wakes it", sleeps },
    { "10,000 requests and 100 reloads leave nothing behind", keeps_its_size },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, singles, single_run);
    return flow_run("idle", &stories, NULL, NULL);
}
