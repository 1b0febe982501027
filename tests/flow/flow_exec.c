/* janus-sidecar exec: an app beside its sidecar, from its beginning to its end. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/flow/kit_run.h"
#include "tests/flow/kit_world.h"

static struct process *start(struct folder *place, const char *script)
{
    static const char *const environment[] = { "JANUS_APPKEY=vtexappkey-a-B",
                                               "JANUS_APPTOKEN=SECRETSECRET", "no_proxy=other.test",
                                               NULL };
    const char *options[] = { "exec", "--account", "storeacct", "--", "sh", "-c", script, NULL };
    struct process_plan plan = { .program = "janus-sidecar",
                                 .options = options,
                                 .work_folder = folder_path(place),
                                 .input = "what stands at standard input",
                                 .environment = environment };

    folder_manifest(place, "api.partner.example\t/v1/*\n");
    return process_start(&plan);
}

static struct story {
    const char *name, *script;
    int signal; /* sent once it says "up"; 0: none */
    int code;
    const char *says[4];
} stories_of_exec[] = {
    { "its exit status", "exit 7", 0, 7, { NULL } },
    { "it ends well", "true", 0, 0, { NULL } },
    { "it ends by a signal", "kill -KILL $$", 0, 137, { NULL } },
    { "what it finds in its environment",
      "env",
      0,
      0,
      { "http_proxy=http://127.0.0.1:", "HTTPS_PROXY=http://127.0.0.1:",
        "no_proxy=localhost,127.0.0.1,::1,other.test",
        "JANUS_PLACEHOLDER=janus-sidecar-placeholder" } },
    { "VTEX_IO", "env", 0, 0, { "VTEX_IO=true" } },
    { "the key pair is not in it",
      "env | grep -q -e JANUS_APPKEY -e SECRETSECRET && exit 1; exit 0",
      0,
      0,
      { NULL } },
    { "that libraries bind early is ours alone, and our name stays",
      "env | grep -q LD_BIND_NOW && exit 1; cat /proc/$PPID/comm; exit 0",
      0,
      0,
      { "janus-sidecar\n" } },
    { "the pipe signal is as usual", "sh -c 'kill -PIPE $$'; exit $?", 0, 141, { NULL } },
    { "TERM is passed on",
      "trap 'exit 9' TERM; echo up >&2; while :; do sleep 1 & wait; done",
      SIGTERM,
      9,
      { NULL } },
    { "INT is passed on",
      "trap 'exit 8' INT; echo up >&2; while :; do sleep 1 & wait; done",
      SIGINT,
      8,
      { NULL } },
    { "USR2 is passed on",
      "trap 'exit 6' USR2; echo up >&2; while :; do sleep 1 & wait; done",
      SIGUSR2,
      6,
      { NULL } },
    { "it is stopped, and goes on",
      "sh -c 'sleep 0.2; kill -CONT '$$ & kill -STOP $$; exit 4",
      0,
      4,
      { NULL } },
    { "it dies of a fault", "kill -SEGV $$", 0, 139, { NULL } },
    { "it leaves a child behind", "sleep 3 >/dev/null 2>&1 & exit 3", 0, 3, { NULL } },
    { "it reads what we were given", "cat; exit 2", 0, 2, { "what stands at standard input" } },
    { "TERM for an app that has become another user",
      "exec setpriv --reuid 65534 --clear-groups sh -c \"trap 'exit 9' TERM; echo up >&2; while :; "
      "do sleep 1 & wait; "
      "done\"",
      SIGTERM,
      9,
      { NULL } },
    { "TERM that it does not catch", "echo up >&2; exec sleep 60", SIGTERM, 143, { NULL } },
};

static void runs(void **state)
{
    const struct story *story = *state;

    if (strstr(story->script, "setpriv") && geteuid() != 0) {
        print_message("skipped: only root may become another user\n");
        skip();
    }
    struct folder *place = folder_new();
    struct process *sidecar = start(place, story->script);

    if (story->signal) {
        process_await_line(sidecar, "up");
        process_signal(sidecar, story->signal);
    }
    int code = process_wait(sidecar);
    if (code != story->code)
        fail_msg("%d instead of %d:\n%s", code, story->code, process_log(sidecar));
    for (size_t i = 0; i < 4 && story->says[i]; i++)
        expect_in(process_output(sidecar), story->says[i]);
    process_free(sidecar);
    folder_free(place);
}

/* The app is told, and not left alone. */
static void sidecar_is_killed(void **state)
{
    struct folder *place = folder_new();
    struct process *sidecar = start(
        place, "trap 'echo told >told; exit' TERM; echo up >&2; while :; do sleep 1 & wait; done");

    (void)state;
    process_await_line(sidecar, "up");
    process_signal(sidecar, SIGKILL);
    process_wait(sidecar); /* the app has our log open until its end */
    assert_int_equal(access(folder_name(place, "told"), F_OK), 0);
    process_free(sidecar);
    folder_free(place);
}

static struct single singles[] = {
    { "the sidecar is killed", sidecar_is_killed },
};

static struct wrong {
    const char *name, *options;
    int code;
    const char *says;
} wrongs[] = {
    { "no app", "exec --account storeacct", 2, "expects options, --" },
    { "nothing behind the dashes", "exec --account storeacct --", 2, "expects options, --" },
    { "a program that is not there", "exec --account storeacct -- no-such-program", 127,
      "cannot run no-such-program" },
    { "a file that is no program", "exec --account storeacct -- ./manifest.json", 126,
      "cannot run" },
    { "no account", "exec -- true", 2, "account" },
    { "a Unix socket alone", "exec --account storeacct --listen unix:s -- true", 2,
      "needs a port" },
};

static void is_wrong(void **state)
{
    const struct wrong *story = *state;
    struct run run = { .folder = folder_new() };

    folder_manifest(run.folder, "api.partner.example\t/v1/*\n");
    run_in(&run, story->options, NULL);
    expect_code(&run, story->code);
    expect_in(process_log(run.process), story->says);
    run_end(&run);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, stories_of_exec, runs);
    STORIES_ADD(&stories, wrongs, is_wrong);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("exec", &stories, NULL, NULL);
}
