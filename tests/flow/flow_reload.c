/* A manifest that changes while requests run: every way in which files are changed, what must not be
 * taken over, what /readyz says of it, and a thousand times in a row. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define API "Host: api.partner.example\r\n"
#define OK  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define V2  "api.partner.example\t/v2/*\n"

static const char v1[] = "GET /v1/a HTTP/1.1\r\n" API "\r\n";
static const char v2[] = "GET /v2/a HTTP/1.1\r\n" API "\r\n";

static struct world own;

static void replace(const char *name, const char *rows)
{
    char *text = manifest_text(rows);

    folder_replace(own.folder, name, text);
    free(text);
}

static void await_generation(unsigned generation)
{
    char needle[48];

    snprintf(needle, sizeof(needle), "generation=%u rules", generation);
    char *line = process_await(own.sidecar, needle);
    assert_non_null(strstr(line, "event=reloaded"));
    free(line);
}

static void is_v1(void)
{
    free(world_exchange(&own, v1));
    expect_status(world_refused(&own, v2), 403);
}

static void is_v2(void)
{
    free(world_exchange(&own, v2));
    expect_status(world_refused(&own, v1), 403);
}

/* ---- ways of changing a file
 * ----------------------------------------------------------------------- */

static void by_rename(void)
{
    replace("manifest.json", V2);
}

static void in_place(void)
{
    folder_manifest(own.folder, V2);
}

static void removed_and_written(void)
{
    unlink(folder_name(own.folder, "manifest.json"));
    folder_manifest(own.folder, V2);
}

static void turn_link(const char *target, const char *name)
{
    const char *next = folder_name(own.folder, "..next");

    assert_int_equal(symlink(target, next), 0);
    assert_int_equal(rename(next, folder_name(own.folder, name)), 0);
}

static void by_link(void)
{
    replace("other.json", V2);
    turn_link("other.json", "manifest.json");
}

static struct way {
    const char *name;
    void (*change)(void);
} ways[] = {
    { "renamed over it", by_rename },
    { "written in place", in_place },
    { "removed and written", removed_and_written },
    { "a link in its place", by_link },
};

static void is_noticed(void **state)
{
    const struct way *story = *state;

    world_open(&own, NULL);
    is_v1();
    story->change();
    await_generation(2);
    is_v2();
    world_close(&own);
}

/* ---- links that are swapped
 * ------------------------------------------------------------------------ */

static void mount(const char *folder, const char *rows)
{
    char inside[64];

    assert_int_equal(mkdir(folder_name(own.folder, folder), 0700), 0);
    snprintf(inside, sizeof(inside), "%s/manifest.json", folder);
    replace(inside, rows);
}

/* As Kubernetes does it: manifest.json -> ..data/manifest.json, ..data -> ..1, and ..data is swapped. */
static void data_swap(void **state)
{
    (void)state;
    world_open(&own, NULL);
    mount("..1", V2);
    turn_link("..1", "..data");
    turn_link("..data/manifest.json", "manifest.json");
    await_generation(2);
    is_v2();
    mount("..2", world_policies);
    turn_link("..2", "..data");
    await_generation(3);
    is_v1();
    world_close(&own);
}

/* The file that changes is in a folder that the path does not name; the slow poll is not waited for. */
static void leads_elsewhere(void **state)
{
    long long started;

    (void)state;
    world_open(&own, NULL);
    mount("elsewhere", world_policies);
    turn_link("elsewhere/manifest.json", "manifest.json"); /* the same content: nothing happens */
    is_v1();
    started = now_ms();
    replace("elsewhere/manifest.json", V2);
    await_generation(2);
    assert_true(now_ms() - started < 5000);
    is_v2();
    world_close(&own);
}

/* ---- what is not taken over
 * ------------------------------------------------------------------------- */

static void unchanged(void **state)
{
    (void)state;
    world_open(&own, NULL);
    replace("manifest.json", world_policies);
    folder_manifest(own.folder, world_policies);
    is_v1();
    replace("manifest.json", V2);
    await_generation(2); /* and not a higher one */
    world_close(&own);
}

static void broken(void **state)
{
    (void)state;
    world_open(&own, NULL);
    process_await_line(own.sidecar, "event=token");
    world_readyz(&own, 200, "\"policy\":{\"rules\":4,\"generation\":1,\"reload\":\"ok\"");
    folder_replace(own.folder, "manifest.json", "{\n  \"policies\": [ }\n}\n");
    process_await_line(own.sidecar, "manifest.json:2:");
    process_await_line(own.sidecar, "event=reload_failed");
    is_v1();
    world_readyz(&own, 200,
                 "\"rules\":4,\"generation\":1,\"reload\":\"failed\",\"reload_failures\":1");
    world_metrics(&own, "janus_sidecar_policy_reload_failures_total{policy=\"manifest\"} 1\n");
    world_metrics(&own, "janus_sidecar_policy_reload_failed{policy=\"manifest\"} 1\n");
    replace("manifest.json", V2);
    await_generation(2);
    is_v2();
    world_metrics(&own, "janus_sidecar_policy_reload_failed{policy=\"manifest\"} 0\n");
    world_metrics(&own, "janus_sidecar_policy_reloads_total{policy=\"manifest\"} 1\n");
    world_readyz(&own, 200, "\"rules\":1,\"generation\":2,\"reload\":\"ok\",\"reload_failures\":1");
    world_close(&own);
}

/* Back to what is in force already: that is no failure any more. */
static void broken_and_back(void **state)
{
    (void)state;
    world_open(&own, NULL);
    process_await_line(own.sidecar, "event=token");
    folder_replace(own.folder, "manifest.json", "");
    process_await_line(own.sidecar, "event=reload_failed");
    replace("manifest.json", world_policies);
    await_generation(2);
    world_readyz(&own, 200, "\"reload\":\"ok\"");
    world_close(&own);
}

/* Half a file is never read, whoever asks. */
static void half_written(void **state)
{
    char *text = manifest_text(V2);
    size_t half = strlen(text) / 2;

    (void)state;
    world_open(&own, NULL);
    int fd = open(folder_name(own.folder, "manifest.json"), O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(write(fd, text, half), (ssize_t)half);
    process_signal(own.sidecar, SIGHUP);
    process_await_line(own.sidecar, "event=reload_waits");
    is_v1();
    assert_int_equal(write(fd, text + half, strlen(text) - half), (ssize_t)(strlen(text) - half));
    close(fd);
    await_generation(2);
    is_v2();
    assert_null(strstr(process_log(own.sidecar), "reload_failed"));
    free(text);
    world_close(&own);
}

#define ONE_BAD "https://api.partner.example\t/*\n" V2

static void bad_policy(void **state)
{
    (void)state;
    world_open(&own, NULL);
    replace("manifest.json", ONE_BAD);
    process_await_line(own.sidecar, "event=finding");
    await_generation(2);
    is_v2();
    world_close(&own);
}

static void bad_policy_strict(void **state)
{
    static const struct plan plan = { .options = { "--strict" } };

    (void)state;
    world_open(&own, &plan);
    replace("manifest.json", ONE_BAD);
    process_await_line(own.sidecar, "event=reload_failed");
    is_v1();
    world_close(&own);
}

/* ---- a thousand times, under traffic
 * ---------------------------------------------------------------- */

enum {
    CLIENTS = 4,
    RELOADS = 1000,
    WARM = 200, /* by then every buffer has its size */
    GROWTH_MAX_KIB =
        1024, /* behind that; one policy of these left behind a time would be several MiB */
};

/* Two manifests that both open /v1 and differ in the rest. */
static char *many_rules(unsigned which)
{
    struct bytes rows = { 0 };

    bytes_print(&rows, "api.partner.example\t/v1/*\n");
    for (unsigned i = 0; i < 9 + which; i++)
        bytes_print(&rows, "host-%u.partner.example\t/%u/*\n", i, which);
    char *text = manifest_text(rows.at);
    bytes_free(&rows);
    return text;
}

struct soak {
    struct client *clients[CLIENTS];
    struct origin_conn *conns[CLIENTS]; /* all of them are in use in every round */
    char *texts[2];
};

static void trigger(const struct soak *soak, unsigned i)
{
    if (i % 2)
        process_signal(own.sidecar, SIGHUP);
    else
        folder_replace(own.folder, "manifest.json", soak->texts[i / 2 % 2]);
}

/* Every other reload comes while the requests are with the origin. */
static void one_round(struct soak *soak, unsigned i)
{
    if (i % 4 < 2)
        trigger(soak, i);
    for (size_t k = 0; k < CLIENTS; k++)
        client_say(soak->clients[k], v1);
    for (size_t k = 0; k < CLIENTS; k++) {
        if (!soak->conns[k])
            soak->conns[k] = origin_accept(own.origin);
        origin_head(soak->conns[k]);
    }
    if (i % 4 >= 2)
        trigger(soak, i);
    for (size_t k = 0; k < CLIENTS; k++)
        origin_say(soak->conns[k], OK);
    for (size_t k = 0; k < CLIENTS; k++)
        expect_body(client_response(soak->clients[k]), "ok");
    await_generation(i + 2);
}

static void soak_in(const char *bin_folder, bool weighs)
{
    const struct plan plan = { .bin_folder = bin_folder };
    struct soak soak = { .texts = { many_rules(1), many_rules(2) } };
    size_t kib = 0, descriptors = 0;

    world_open(&own, &plan);
    for (size_t k = 0; k < CLIENTS; k++)
        soak.clients[k] = world_client(&own);
    for (unsigned i = 0; i < RELOADS; i++) {
        one_round(&soak, i);
        if (i == WARM) {
            kib = process_now_kib(own.sidecar);
            descriptors = process_descriptors(own.sidecar);
        }
    }
    size_t grown = process_now_kib(own.sidecar);
    grown = grown > kib ? grown - kib : 0;
    if (weighs && grown > GROWTH_MAX_KIB)
        fail_msg("%zu KiB more after %d reloads", grown, RELOADS - WARM);
    assert_int_equal(process_descriptors(own.sidecar), descriptors);
    assert_int_equal(origin_accepted(own.origin), CLIENTS);
    free(soak.texts[0]);
    free(soak.texts[1]);
    world_close(&own);
}

static void thousand(void **state)
{
    (void)state;
    soak_in(NULL, false);
}

static void thousand_weighed(void **state)
{
    const char *folder = getenv("JANUS_RELEASE_BIN_DIR");

    (void)state;
    if (!folder || !*folder) {
        print_message("skipped: JANUS_RELEASE_BIN_DIR does not name the release build\n");
        skip();
    }
    soak_in(folder, true);
}

static struct single singles[] = {
    { "..data is swapped", data_swap },
    { "a link leads to another folder", leads_elsewhere },
    { "unchanged content does nothing", unchanged },
    { "a broken manifest leaves the old one in force", broken },
    { "a broken manifest, and the old one again", broken_and_back },
    { "half a manifest is not read", half_written },
    { "one bad policy is left out", bad_policy },
    { "one bad policy with --strict", bad_policy_strict },
    { "1000 reloads under traffic", thousand },
    { "1000 reloads under traffic, memory", thousand_weighed },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, ways, is_noticed);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("reload", &stories, NULL, NULL);
}
