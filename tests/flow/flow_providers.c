/* The folder of --provider-policies while requests run: it is watched as the manifest is, and what is wrong
 * in it is said once, however many manifests refer to it. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define ROUTE "/acme.shop/v1/storeacct/master"
#define IO    "Host: app.io.vtex.com\r\n"
#define DENIES(path)                                                                               \
    "[{\"name\":\"p\",\"statements\":[{\"effect\":\"deny\",\"actions\":[\"*\"],\"resources\":["    \
    "\"vrn:acme.shop:*:*:*:" path "\"]}]}]"

static const char get_a[] = "GET " ROUTE "/a HTTP/1.1\r\n" IO "\r\n";
static const char get_b[] = "GET " ROUTE "/b HTTP/1.1\r\n" IO "\r\n";

static struct world own;
static struct folder *providers;

static void open_with(const char *option, const char *value)
{
    struct plan plan = { .policies = "app.io.vtex.com\t*\n", .shadow = "app.io.vtex.com\t*\n" };
    const char *options[] = { "--provider-policies", folder_path(providers), option, value };

    memcpy(plan.options, options, sizeof(options));
    world_open(&own, &plan);
}

static void close_all(void)
{
    world_close(&own);
    folder_free(providers);
}

static void await_generation(unsigned generation)
{
    char needle[64];

    snprintf(needle, sizeof(needle), "generation=%u rules", generation);
    char *line = process_await(own.sidecar, needle);
    assert_non_null(strstr(line, "event=reloaded policy=manifest"));
    free(line);
}

static void a_is_closed(void)
{
    expect_status(world_refused(&own, get_a), 403);
    free(world_exchange(&own, get_b));
}

static void b_is_closed(void)
{
    expect_status(world_refused(&own, get_b), 403);
    free(world_exchange(&own, get_a));
}

/* ---- ways of changing it
 * ---------------------------------------------------------------------------- */

static void renamed_over(void)
{
    folder_replace(providers, "acme.shop.json", DENIES("/b"));
}

static void in_place(void)
{
    folder_write(providers, "acme.shop.json", DENIES("/b"));
}

static void removed_and_written(void)
{
    unlink(folder_name(providers, "acme.shop.json"));
    folder_write(providers, "acme.shop.json", DENIES("/b"));
}

static struct way {
    const char *name;
    void (*change)(void);
} ways[] = {
    { "renamed over it", renamed_over },
    { "written in place", in_place },
    { "removed and written", removed_and_written },
};

static void is_noticed(void **state)
{
    const struct way *story = *state;
    long long started;

    providers = folder_new();
    folder_write(providers, "acme.shop.json", DENIES("/a"));
    open_with(NULL, NULL);
    a_is_closed();
    started = now_ms();
    story->change();
    await_generation(2);
    assert_true(now_ms() - started < 5000); /* the slow poll is not waited for */
    b_is_closed();
    close_all();
}

static void turn_link(const char *target, const char *name)
{
    const char *next = folder_name(providers, "..next");

    assert_int_equal(symlink(target, next), 0);
    assert_int_equal(rename(next, folder_name(providers, name)), 0);
}

/* As Kubernetes mounts a ConfigMap: acme.shop.json -> ..data/acme.shop.json, and ..data is swapped. */
static void data_swap(void **state)
{
    (void)state;
    providers = folder_new();
    assert_int_equal(mkdir(folder_name(providers, "..1"), 0700), 0);
    assert_int_equal(mkdir(folder_name(providers, "..2"), 0700), 0);
    folder_write(providers, "..1/acme.shop.json", DENIES("/a"));
    folder_write(providers, "..2/acme.shop.json", DENIES("/b"));
    turn_link("..1", "..data");
    turn_link("..data/acme.shop.json", "acme.shop.json");
    open_with(NULL, NULL);
    a_is_closed();
    turn_link("..2", "..data");
    await_generation(2);
    b_is_closed();
    close_all();
}

/* A file that comes, one that moves into a folder of its app, and one in there that changes. */
static void files_come_and_move(void **state)
{
    (void)state;
    providers = folder_new();
    open_with(NULL, NULL);
    free(world_exchange(&own, get_a));
    folder_write(providers, "acme.shop.json", DENIES("/a"));
    await_generation(2);
    a_is_closed();
    /* the file becomes a folder: what is removed wakes nobody, what comes does */
    assert_int_equal(mkdir(folder_name(providers, ".new"), 0700), 0);
    folder_write(providers, ".new/policies.json", DENIES("/b"));
    unlink(folder_name(providers, "acme.shop.json"));
    assert_int_equal(rename(folder_name(providers, ".new"), folder_name(providers, "acme.shop")),
                     0);
    await_generation(3);
    b_is_closed();
    folder_write(providers, "acme.shop/policies.json", DENIES("/a"));
    await_generation(4);
    a_is_closed();
    close_all();
}

/* ---- what is not taken over as it is
 * ---------------------------------------------------------------- */

/* What a broken file denies cannot be known: its app is closed until it is mended. */
static void broken_and_mended(void **state)
{
    (void)state;
    providers = folder_new();
    folder_write(providers, "acme.shop.json", DENIES("/a"));
    open_with(NULL, NULL);
    folder_replace(providers, "acme.shop.json", "[{");
    process_await_line(own.sidecar, "acme.shop.json:1:");
    await_generation(2);
    expect_status(world_refused(&own, get_a), 403);
    expect_status(world_refused(&own, get_b), 403);
    folder_replace(providers, "acme.shop.json", DENIES("/b"));
    await_generation(3);
    b_is_closed();
    close_all();
}

static void unchanged(void **state)
{
    (void)state;
    providers = folder_new();
    folder_write(providers, "acme.shop.json", DENIES("/a"));
    open_with(NULL, NULL);
    folder_replace(providers, "acme.shop.json", DENIES("/a"));
    a_is_closed();
    folder_replace(providers, "acme.shop.json", DENIES("/b"));
    await_generation(2); /* and not a higher one */
    close_all();
}

static void half_written(void **state)
{
    static const char text[] = DENIES("/b");
    int fd;

    (void)state;
    providers = folder_new();
    folder_write(providers, "acme.shop.json", DENIES("/a"));
    open_with(NULL, NULL);
    fd = open(folder_name(providers, "acme.shop.json"), O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(write(fd, text, 20), 20);
    folder_write(providers, "acme.other.json", "[]"); /* wakes it */
    process_await_line(own.sidecar, "event=reload_waits");
    a_is_closed();
    assert_int_equal(write(fd, text + 20, sizeof(text) - 21), (ssize_t)sizeof(text) - 21);
    close(fd);
    await_generation(2);
    b_is_closed();
    assert_null(strstr(process_log(own.sidecar), "event=finding"));
    close_all();
}

/* The folder itself goes away: nothing can be said of any app, so what was in force stays. */
static void folder_is_gone(void **state)
{
    char away[256];

    (void)state;
    providers = folder_new();
    folder_write(providers, "acme.shop.json", DENIES("/a"));
    open_with(NULL, NULL);
    snprintf(away, sizeof(away), "%s.away", folder_path(providers));
    assert_int_equal(rename(folder_path(providers), away), 0);
    process_signal(own.sidecar, SIGHUP);
    process_await_line(own.sidecar, "event=reload_failed");
    a_is_closed();
    assert_int_equal(rename(away, folder_path(providers)), 0);
    await_generation(2);
    a_is_closed();
    close_all();
}

/* ---- said once
 * -------------------------------------------------------------------------------------- */

static size_t times_said(const char *needle)
{
    size_t n = 0;

    for (const char *at = process_log(own.sidecar); (at = strstr(at, needle)); at++)
        n++;
    return n;
}

static void said_once(void **state)
{
    (void)state;
    providers = folder_new();
    folder_write(providers, "acme.shop.json", "[{}]");
    open_with("--shadow-manifest", "shadow.json");
    assert_int_equal(times_said("needs a \"name\""), 1); /* at the start */
    process_signal(own.sidecar, SIGHUP);
    process_await_line(own.sidecar, "event=reloaded policy=shadow");
    assert_int_equal(times_said("needs a \\\"name\\\""), 1);
    close_all();
}

static struct single singles[] = {
    { "..data is swapped", data_swap },
    { "files come and move", files_come_and_move },
    { "a broken file closes its app until it is mended", broken_and_mended },
    { "unchanged content does nothing", unchanged },
    { "half a file is not read", half_written },
    { "the folder goes away and comes back", folder_is_gone },
    { "said once for both manifests", said_once },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, ways, is_noticed);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("providers", &stories, NULL, NULL);
}
