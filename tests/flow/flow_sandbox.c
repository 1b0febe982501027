/* What a sidecar that has been taken over can still do: shim_probe.c tries it from inside, with raw system calls, in
 * the release build ($JANUS_RELEASE_BIN_DIR), because a sanitizer needs calls that the sandbox forbids otherwise.
 * And that nothing else changes: programs, apps, links that are swapped. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/flow/kit_run.h"
#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

static struct world own;

/* ---- from inside
 * ----------------------------------------------------------------------------------- */

static struct probe {
    const char *name;
    int error; /* 0: it may */
} probes[] = {
    { "read-its-file", 0 },
    { "read-another-file", EACCES },
    { "write-its-file", EACCES },
    { "make-a-file", EACCES },
    { "remove-its-file", EACCES },
    { "execve", ENOSYS },
    { "execveat", ENOSYS },
    { "fork", ENOSYS },
    { "ptrace", ENOSYS },
    { "signal", ENOSYS },
    { "load-code", ENOSYS },
    { "io_uring", ENOSYS },
    { "bpf", ENOSYS },
    { "become-root", ENOSYS },
    { "mount", ENOSYS },
    { "tcp-socket", ENOSYS },
    { "unix-socket", ENOSYS },
    { "raw-socket", ENOSYS },
    { "packet-socket", ENOSYS },
    { "listen", ENOSYS },
    { "lead-a-connection-elsewhere", EACCES },
    { "helper-connects", EACCES },
    { "helper-runs", EACCES },
};

#define IN_FORCE "event=sandbox in_force=landlock:"

static bool has_landlock_for_tcp(const struct process *sidecar)
{
    const char *abi = strstr(process_log(sidecar), IN_FORCE);

    return abi && strtol(abi + strlen(IN_FORCE), NULL, 10) >= 4 && strstr(abi, ",seccomp");
}

static void tried_from_inside(void **state)
{
    const char *release = getenv("JANUS_RELEASE_BIN_DIR");
    static char preload[512], its[512], another[512], new[512], port[64], wanted[64], file[256];
    struct origin *other = origin_new_plain();
    const char *environment[] = { preload, its, another, new, port, NULL };
    struct plan plan = { .bin_folder = release,
                         .closed = true,
                         .environment = environment,
                         .options = { "--shadow-manifest", file } };

    (void)state;
    if (!release) {
        print_message("skipped: JANUS_RELEASE_BIN_DIR does not name the release build\n");
        origin_free(other);
        skip();
    }
    struct folder *place = folder_new(), *elsewhere = folder_new();
    snprintf(another, sizeof(another), "PROBE_OTHER=%s",
             folder_write(elsewhere, "another", "not for it"));
    snprintf(file, sizeof(file), "%s", folder_manifest(place, world_policies));
    snprintf(preload, sizeof(preload), "LD_PRELOAD=%s/shim_probe.so", process_folder());
    snprintf(its, sizeof(its), "PROBE_FILE=%s", file);
    snprintf(new, sizeof(new), "PROBE_NEW=%s", folder_name(place, "new"));
    snprintf(port, sizeof(port), "PROBE_PORT=%u", origin_port(other));
    world_open(&own, &plan);
    process_await_line(own.sidecar, "event=sandbox");
    if (!has_landlock_for_tcp(own.sidecar)) {
        print_message("skipped: this kernel has no seccomp, or no Landlock with rules for TCP\n");
        world_close(&own);
        skip();
    }
    client_new(own.port);
    process_await_line(own.sidecar, "probe is over");
    for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
        snprintf(wanted, sizeof(wanted), "probe %s=%d\n", probes[i].name, probes[i].error);
        if (!strstr(process_log(own.sidecar), wanted))
            fail_msg("%s was to end with %d (%s):\n%s", probes[i].name, probes[i].error,
                     strerror(probes[i].error), process_log(own.sidecar));
    }
    origin_untouched(other);
    world_close(&own);
    origin_free(other);
    folder_free(elsewhere);
    folder_free(place);
}

/* Rights are given up by each thread for itself: all must have begun behind that. */
static void every_thread(void **state)
{
    static const struct plan plan = { .options = { "--threads", "4" } };
    char path[64], status[4096];
    unsigned n = 0;

    (void)state;
    world_open(&own, &plan);
    process_await_line(own.sidecar, "event=sandbox");
    snprintf(path, sizeof(path), "/proc/%d/task", (int)process_id(own.sidecar));
    DIR *tasks = opendir(path);
    assert_non_null(tasks);
    for (struct dirent *task; (task = readdir(tasks));) {
        if (task->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "/proc/%d/task/%.16s/status", (int)process_id(own.sidecar),
                 task->d_name);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        status[fread(status, 1, sizeof(status) - 1, file)] = '\0';
        fclose(file);
        expect_in(status, "\nNoNewPrivs:\t1\n");
        expect_in(status, "\nSeccomp:\t2\n");
        n++;
    }
    closedir(tasks);
    assert_int_equal(n, 1 + 4);
    world_close(&own);
}

/* ---- what goes on as ever
 * ------------------------------------------------------------------------------ */

static void is_off(void **state)
{
    static const struct plan plan = { .options = { "--sandbox", "off" } };

    (void)state;
    world_open(&own, &plan);
    process_await_line(own.sidecar, "event=sandbox in_force=off");
    free(world_exchange(&own, "GET /v1/a HTTP/1.1\r\nHost: api.partner.example\r\n\r\n"));
    world_close(&own);
}

static void program_runs(void **state)
{
    static const struct plan plan = { .token = "",
                                      .options = { "--token-sources", "command", "--token-command",
                                                   "echo a-token-from-a-program" } };

    (void)state;
    world_open(&own, &plan);
    process_await_line(own.sidecar, "event=token generation=1");
    world_readyz(&own, 200, "\"token\":\"live\"");
    world_close(&own);
}

static void app_runs(void **state)
{
    struct run run = { .folder = folder_new() };

    (void)state;
    folder_manifest(run.folder, world_policies);
    run_in(&run, "exec --account storeacct -- cat manifest.json", NULL);
    expect_code(&run, 0);
    expect_in(process_output(run.process), "api.partner.example"); /* it is not in our sandbox */
    run_end(&run);
}

static void swap_link(const char *link, const char *target)
{
    char beside[300];

    snprintf(beside, sizeof(beside), "%s.new", link);
    assert_int_equal(symlink(target, beside), 0);
    assert_int_equal(rename(beside, link), 0);
}

static void await_after_hangup(const char *line)
{
    process_signal(own.sidecar, SIGHUP);
    process_await_line(own.sidecar, line);
}

/* `current` leads to a folder beside the one of before, then to one that nobody spoke of. */
static void link_leads_elsewhere(void **state)
{
    static char manifest[300];
    struct folder *releases = folder_new(), *apps = folder_new(), *foreign = folder_new();
    struct plan plan = { .options = { "--shadow-manifest", manifest } };
    char first[300], second[300];

    (void)state;
    snprintf(first, sizeof(first), "%s/1", folder_path(releases));
    snprintf(second, sizeof(second), "%s/2", folder_path(releases));
    assert_int_equal(mkdir(first, 0755) | mkdir(second, 0755), 0);
    char *text = manifest_text(world_policies);
    folder_write(releases, "1/manifest.json", text);
    folder_write(releases, "2/manifest.json", text);
    folder_write(foreign, "manifest.json", text);
    free(text);
    swap_link(folder_name(apps, "current"), first);
    snprintf(manifest, sizeof(manifest), "%s/current/manifest.json", folder_path(apps));
    world_open(&own, &plan);
    swap_link(folder_name(apps, "current"), second);
    await_after_hangup("event=reloaded policy=shadow");
    if (has_landlock_for_tcp(own.sidecar)) {
        swap_link(folder_name(apps, "current"), folder_path(foreign));
        await_after_hangup("event=reload_failed policy=shadow");
    }
    world_close(&own);
    folder_free(releases);
    folder_free(apps);
    folder_free(foreign);
}

/* ---- the helper
 * ------------------------------------------------------------------------------------- */

static pid_t helper_of(const struct process *sidecar)
{
    char path[64];
    int pid = 0;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)process_id(sidecar),
             (int)process_id(sidecar));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &pid), 1);
    fclose(file);
    return pid;
}

static void helper_ends(void **state)
{
    (void)state;
    world_open(&own, NULL);
    kill(helper_of(own.sidecar), SIGKILL);
    assert_int_equal(process_wait(own.sidecar), 1);
    expect_in(process_log(own.sidecar), "event=helper_lost");
    world_forget(&own);
}

static void sidecar_ends(void **state)
{
    (void)state;
    world_open(&own, NULL);
    int helper = pidfd_open(helper_of(own.sidecar), 0);
    assert_true(helper >= 0);
    process_signal(own.sidecar, SIGKILL);
    process_wait(own.sidecar);
    wait_for(helper, POLLIN, "the end of the helper");
    close(helper);
    world_forget(&own);
}

static void signals_are_ours(void **state)
{
    (void)state;
    world_open(&own, NULL);
    kill(helper_of(own.sidecar), SIGTERM); /* as a service manager sends it to all of a group */
    free(world_exchange(&own, "GET /v1/a HTTP/1.1\r\nHost: api.partner.example\r\n\r\n"));
    world_close(&own);
}

static struct single singles[] = {
    { "what can be done from inside", tried_from_inside },
    { "every thread is in it", every_thread },
    { "--sandbox off", is_off },
    { "a token program runs", program_runs },
    { "an app runs outside", app_runs },
    { "a link is swapped: beside, and to somewhere else", link_leads_elsewhere },
    { "the helper is killed: so ends the sidecar", helper_ends },
    { "the sidecar is killed: so ends the helper", sidecar_ends },
    { "a signal to the helper", signals_are_ours },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, singles, single_run);
    return flow_run("sandbox", &stories, NULL, NULL);
}
