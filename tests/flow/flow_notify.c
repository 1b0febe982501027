/* What a service manager is told, and what waits for the sidecar. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/flow/kit_run.h"
#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

static struct folder *place;

/* ---- sd_notify
 * ------------------------------------------------------------------------------------- */

static int manager_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void expect_told(int manager, const char *want)
{
    char state[256];

    wait_for(manager, POLLIN, want);
    ssize_t n = recv(manager, state, sizeof(state) - 1, 0);
    assert_true(n > 0);
    state[n] = '\0';
    if (strncmp(state, want, strlen(want)) != 0)
        fail_msg("\"%s\" instead of \"%s\"", state, want);
}

static struct process *start_told(const char *watchdog)
{
    static char variable[256], usec[64];
    const char *environment[] = { variable, usec, NULL };
    const char *options[] = { "run",         "--account",   "storeacct",
                              "--listen",    "127.0.0.1:0", "--admin",
                              "127.0.0.1:0", "--manifest",  folder_name(place, "manifest.json"),
                              NULL };
    struct process_plan plan = { .program = "janus-sidecar",
                                 .options = options,
                                 .environment = environment };

    folder_manifest(place, "api.partner.example\t/v1/*\n");
    snprintf(variable, sizeof(variable), "NOTIFY_SOCKET=%s", folder_name(place, "manager"));
    snprintf(usec, sizeof(usec), "WATCHDOG_USEC=%s", watchdog);
    return process_start(&plan);
}

static void tells(void **state)
{
    (void)state;
    place = folder_new();
    int manager = manager_at(folder_name(place, "manager"));
    struct process *sidecar = start_told("0");
    expect_told(manager, "READY=1");
    process_await_line(sidecar, "ready ");
    process_signal(sidecar, SIGHUP);
    expect_told(manager, "RELOADING=1\nMONOTONIC_USEC=");
    expect_told(manager, "READY=1");
    sidecar_stop(sidecar);
    expect_told(manager, "STOPPING=1");
    process_free(sidecar);
    close(manager);
    folder_free(place);
}

static void feeds_the_watchdog(void **state)
{
    (void)state;
    place = folder_new();
    int manager = manager_at(folder_name(place, "manager"));
    struct process *sidecar = start_told("200000");
    expect_told(manager, "READY=1");
    long long begun = now_ms();
    expect_told(manager, "WATCHDOG=1");
    expect_told(manager, "WATCHDOG=1");
    expect_told(manager, "WATCHDOG=1");
    assert_in_range(now_ms() - begun, 150, PATIENCE_MS); /* a third of a second, not at once */
    sidecar_stop(sidecar);
    process_free(sidecar);
    close(manager);
    folder_free(place);
}

/* ---- wait
 * ------------------------------------------------------------------------------------------ */

static void waits(void **state)
{
    static const struct plan plan = { .token = "" };
    struct world own;
    struct run run = { 0 };
    char options[128];

    (void)state;
    world_open(&own, &plan);
    run.folder = own.folder;
    snprintf(options, sizeof(options), "wait --admin 127.0.0.1:%u --max 200ms", own.admin_port);
    run_in(&run, options, NULL);
    expect_code(&run, 1);
    expect_in(process_log(run.process), "missing or expired");
    folder_write(own.folder, "token", TOKEN);
    snprintf(options, sizeof(options), "wait --admin 127.0.0.1:%u", own.admin_port);
    run_in(&run, options, NULL);
    expect_code(&run, 0);
    process_free(run.process);
    world_close(&own);
}

static struct in_vain {
    const char *name, *options;
    int code;
    const char *says;
} in_vains[] = {
    { "nobody answers", "wait --admin unix:none --max 100ms", 1, "nobody answers" },
    { "a time that is none", "wait --max soon", 2, "--max" },
    { "a time without a unit", "wait --max 30", 2, "--max" },
    { "a socket of systemd", "wait --admin systemd:a", 2, "--admin" },
    { "an unknown option", "wait --maxi 3s", 2, "--maxi" },
};

static void waits_in_vain(void **state)
{
    const struct in_vain *story = *state;
    struct run run = { .folder = folder_new() };

    run_in(&run, story->options, NULL);
    expect_code(&run, story->code);
    expect_in(process_log(run.process), story->says);
    run_end(&run);
}

static struct single singles[] = {
    { "READY, RELOADING, STOPPING", tells },
    { "WATCHDOG", feeds_the_watchdog },
    { "wait ends when the token is there", waits },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, singles, single_run);
    STORIES_ADD(&stories, in_vains, waits_in_vain);
    return flow_run("notify", &stories, NULL, NULL);
}
