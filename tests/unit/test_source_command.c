#include "tests/unit/source_fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/wait.h>

#include "proxy/limits.h"
#include "proxy/token/source_command.h"

#define JWT "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"

enum { SHORT_MS = 200, LONG_MS = 15000 };

static void give_words(struct desk *desk, char **words, size_t n, unsigned timeout_ms,
                       bool without_pidfd)
{
    struct strings strings = { words, n };
    struct source_command_rules rules = { .timeout_ms = timeout_ms,
                                          .account = "storeacct",
                                          .workspace = "feature",
                                          .without_pidfd = without_pidfd };

    desk_give(desk, source_command_new(desk->loop, &strings, &rules));
}

/* A program of these lines. */
static void give_script(struct desk *desk, const char *lines, unsigned timeout_ms,
                        bool without_pidfd)
{
    char path[128], script[1024], *words[] = { path };

    snprintf(script, sizeof(script), "#!/bin/sh\n%s\n", lines);
    desk_write(desk, "program", script, 0700);
    desk_path(desk, "program", path);
    give_words(desk, words, 1, timeout_ms, without_pidfd);
}

static int count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static void nobody_is_left(void)
{
    errno = 0;
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* ---- what programs do ---- */

static struct told {
    const char *name, *lines;
    const char *token; /* NULL: it fails */
    const char *why;   /* part of the complaint */
    unsigned timeout_ms;
} outputs[] = {
    { "text", "printf abc", "abc", NULL, LONG_MS },
    { "a line", "echo abc", "abc", NULL, LONG_MS },
    { "blanks around", "printf ' \\n abc\\r\\n\\n'", "abc", NULL, LONG_MS },
    { "JSON", "echo '{\"token\":\"abc\",\"expires\":4102444800}'", "abc", NULL, LONG_MS },
    { "in pieces", "printf a; sleep 0.02; printf b; sleep 0.02; echo c", "abc", NULL, LONG_MS },
    { "complaints on the side", "echo careful >&2; echo abc", "abc", NULL, LONG_MS },
    { "very many complaints on the side", "head -c 300000 /dev/zero >&2; echo abc", "abc", NULL,
      LONG_MS },
    { "a token as long as one may be", "head -c 16384 /dev/zero | tr '\\0' a", "aaaa", NULL,
      LONG_MS },
    { "it reads its input", "cat; echo abc", "abc", NULL, LONG_MS },
    { "no terminal to ask at", "(: </dev/tty) 2>/dev/null || echo abc", "abc", NULL, LONG_MS },

    { "nothing", ":", NULL, "no token (there is no token in it) and said nothing", LONG_MS },
    { "nothing, and a complaint", "echo 'not logged in' >&2", NULL,
      "it printed no token (there is no token in it): not logged in", LONG_MS },
    { "garbage", "echo error: log in first", NULL, "a byte that a token cannot have", LONG_MS },
    { "two lines", "echo abc; echo def", NULL, "a byte that a token cannot have", LONG_MS },
    { "half a JWT", "echo eyJhbGciOiJI", NULL, "cut off", LONG_MS },
    { "half of JSON", "echo '{\"token\":'", NULL, "begins like JSON", LONG_MS },
    { "JSON of another kind", "echo '{\"accessToken\":\"abc\"}'", NULL, "no \"token\"", LONG_MS },
    { "null", "echo null", NULL, "a value that is missing", LONG_MS },
    { "undefined", "echo undefined", NULL, "a value that is missing", LONG_MS },
    { "a token that is too long", "head -c 16385 /dev/zero | tr '\\0' a", NULL,
      "longer than 16 KiB", LONG_MS },
    { "it fails with a token", "echo abc; exit 1", NULL, "it exited with 1", LONG_MS },
    { "several lines and colours",
      "printf '\\033[31mError:\\033[0m\\tno\\n\\n  network\\n' >&2; exit 3", NULL,
      "it exited with 3: Error: no network", LONG_MS },
    { "letters beyond ASCII", "printf 'n\\303\\243o' >&2; exit 3", NULL, "with 3: n?o", LONG_MS },
    { "a token in its complaint", "echo bad token: " JWT " sorry >&2; exit 3", NULL,
      "it exited with 3: bad token: *** sorry", LONG_MS },
    { "a password in its complaint", "echo \"{ password: 'hunter2' }\" >&2; exit 3", NULL,
      "{ password: '***' }", LONG_MS },
    { "a secret at the end of what is kept",
      "head -c 1000 /dev/zero | tr '\\0' ' ' >&2; echo abcdefghijklmnopqrstuvwxyz0123456789 >&2; "
      "exit 3",
      NULL, "it exited with 3 and said nothing ...", LONG_MS },
};

/* With pidfds and without. */
static struct told ends[] = {
    { "a child that keeps the pipe", "sleep 60 & echo abc", "abc", NULL, LONG_MS },
    { "a child in a session of its own that keeps the pipe", "setsid sleep 1 & echo abc", "abc",
      NULL, LONG_MS },
    { "without end", "yes", NULL, "it printed more than the 17408 bytes", LONG_MS },
    { "too much, and then it ends", "head -c 17409 /dev/zero", NULL, "more than the 17408 bytes",
      LONG_MS },
    { "it fails", "exit 3", NULL, "it exited with 3 and said nothing", LONG_MS },
    { "it fails and says why", "echo 'no network' >&2; exit 3", NULL,
      "it exited with 3: no network", LONG_MS },
    { "it is killed", "kill -TERM $$", NULL, "it was killed by signal 15 (TERM)", LONG_MS },
    { "it hangs", "exec sleep 60", NULL,
      "it had not ended after 200 ms (--token-timeout) and was killed and said nothing", SHORT_MS },
    { "it hangs with its children", "sleep 60 & sleep 60 | sleep 60", NULL, "not ended after 200",
      SHORT_MS },
    { "it hears no signal", "trap '' TERM INT HUP; while :; do sleep 60; done", NULL,
      "not ended after 200", SHORT_MS },
    { "it closes its output and stays", "echo abc; exec >&- 2>&-; exec sleep 60", NULL,
      "not ended after 200", SHORT_MS },
    { "it stops itself", "kill -STOP $$", NULL, "not ended after 200", SHORT_MS },
    { "it hangs, and says why", "echo wait >&2; exec sleep 60", NULL, "and was killed: wait",
      3 * SHORT_MS },
};

static void check_telling(const struct told *row, bool without_pidfd)
{
    struct desk desk;

    desk_init(&desk);
    int before = count_descriptors();
    give_script(&desk, row->lines, row->timeout_ms, without_pidfd);
    desk_spin(&desk);
    assert_int_equal(desk.answers, 0); /* unasked it says nothing */
    desk_fetch(&desk);
    desk_fetch(&desk); /* one question is under way: this is none */
    desk_await(&desk, NULL);
    if (row->token && strncmp(desk.token, row->token, strlen(row->token)) != 0)
        fail_msg("%s%s", desk.token, desk.why);
    if (row->why && !strstr(desk.why, row->why))
        fail_msg("%s%s", desk.token, desk.why);
    assert_false(desk.will_change);
    assert_null(strstr(desk.why, "eyJ"));
    desk_spin(&desk);
    assert_int_equal(desk.answers, 1);
    assert_int_equal(count_descriptors(), before);
    nobody_is_left();
    desk_fini(&desk);
    nobody_is_left();
}

static void test_telling(void **state)
{
    check_telling(*state, false);
}

static void test_without_pidfd(void **state)
{
    check_telling(*state, true);
}

/* ---- what does not even start ---- */

static struct unstarted {
    const char *name;
    const char *text; /* of the file, NULL: there is none */
    mode_t mode;
    const char *word; /* NULL: the file's path */
    const char *why;
    bool found; /* by check: only the kernel can tell */
} unstarted[] = {
    { "a path to nothing", NULL, 0, NULL, "/program; install it, or give its whole path", false },
    { "not on PATH", NULL, 0, "janus-no-such-program",
      "there is no program janus-no-such-program on the PATH", false },
    { "a program of our own folder is not on PATH", "#!/bin/sh\n", 0700, "program", "on the PATH",
      false },
    { "~ is for shells", NULL, 0, "~/bin/token", "write the whole path", false },
    { "not executable", "#!/bin/sh\necho abc\n", 0600, NULL, "cannot be executed", false },
    { "a folder", NULL, 0, "/tmp", "cannot be executed", false },
    { "no first line", "echo abc\n", 0700, NULL, "a script begins with #!", true },
    { "a first line that names nothing", "#!/no/such/shell\n", 0700, NULL, "in its first line (#!)",
      true },
    { "control bytes in its name", NULL, 0, "/no\n\033[31m", "/no\\x0a\\x1b[31m", false },
};

static void test_unstarted(void **state)
{
    const struct unstarted *row = *state;
    struct diags diags = { 0 };
    char path[128], word[128], *words[] = { word };
    struct desk desk;

    desk_init(&desk);
    if (row->text)
        desk_write(&desk, "program", row->text, row->mode);
    snprintf(word, sizeof(word), "%s", row->word ? row->word : desk_path(&desk, "program", path));
    int before = count_descriptors();
    source_command_check(&(struct strings){ words, 1 }, &diags);
    assert_int_equal(diags.fatal, !row->found);
    if (!row->found)
        assert_non_null(strstr(diags.items[0].what, row->why));
    diags_fini(&diags);
    give_words(&desk, words, 1, LONG_MS, false);
    for (int i = 0; i < 2; i++) {
        desk_fetch(&desk);
        desk_await(&desk, row->why);
    }
    assert_int_equal(desk.answers, 2);
    assert_int_equal(count_descriptors(), before);
    nobody_is_left();
    desk_fini(&desk);
}

static void test_check(void **state)
{
    char sh[] = "sh", path[] = "/bin/sh", nothing[] = "";
    char *words[] = { sh, path, nothing };
    struct diags diags = { 0 };

    (void)state;
    source_command_check(&(struct strings){ words, 1 }, &diags);
    source_command_check(&(struct strings){ words + 1, 1 }, &diags);
    assert_int_equal(diags.n, 0);
    source_command_check(&(struct strings){ words + 2, 1 }, &diags);
    source_command_check(&(struct strings){ NULL, 0 }, &diags);
    assert_int_equal(diags.fatal, 2);
    diags_fini(&diags);
}

/* ---- what it inherits ---- */

/* Exactly these variables, and no key of ours. */
static void test_environment(void **state)
{
    struct desk desk;

    (void)state;
    setenv("JANUS_APPKEY", "secret-a", 1);
    setenv("JANUS_APPTOKEN", "secret-b", 1);
    setenv("JANUS_ACCOUNT", "another", 1);
    setenv("HTTPS_PROXY", "http://127.0.0.1:1", 1);
    setenv("LD_PRELOAD_NOT", "x", 1);
    setenv("TZ", "", 1);
    desk_init(&desk);
    give_script(&desk,
                "tr '\\0' '\\n' </proc/$$/environ | cut -d= -f1 | LC_ALL=C sort | tr '\\n' '|'",
                LONG_MS, false);
    setenv("LC_ALL", "C", 1);
    setenv("HOME", "/home/me", 1);
    unsetenv("USER");
    unsetenv("LOGNAME");
    unsetenv("LANG");
    unsetenv("TMPDIR");
    unsetenv("XDG_CONFIG_HOME");
    desk_fetch(&desk);
    desk_await(&desk, NULL);
    assert_string_equal(desk.token, "HOME|JANUS_ACCOUNT|JANUS_WORKSPACE|LC_ALL|PATH|TZ|");
    desk_fini(&desk);
    desk_init(&desk);
    give_script(&desk, "echo $JANUS_ACCOUNT-$JANUS_WORKSPACE-$HOME-$JANUS_APPKEY-", LONG_MS, false);
    desk_fetch(&desk);
    desk_await(&desk, NULL);
    assert_string_equal(desk.token, "storeacct-feature-/home/me--");
    desk_fini(&desk);
}

static void test_descriptors(void **state)
{
    struct desk desk;
    int fds[2];

    (void)state;
    desk_init(&desk);
    assert_int_equal(pipe2(fds, 0), 0); /* inherited, if nobody took care */
    assert_int_equal(dup2(fds[1], 57), 57);
    give_script(&desk, "ls /proc/self/fd | tr '\\n' '-'", LONG_MS, false);
    desk_fetch(&desk);
    desk_await(&desk, NULL);
    assert_string_equal(desk.token, "0-1-2-3-"); /* 3: the folder that ls reads */
    close(57);
    close(fds[0]);
    close(fds[1]);
    desk_fini(&desk);
}

static void test_signals(void **state)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN }, usual = { .sa_handler = SIG_DFL };
    struct desk desk;
    sigset_t some;
    char *rest;

    (void)state;
    sigemptyset(&some);
    sigaddset(&some, SIGTERM);
    sigprocmask(SIG_BLOCK, &some, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGCHLD, &ignore, NULL); /* as somebody may have left it for us */
    desk_init(&desk);
    give_script(&desk, "awk '/^Sig(Blk|Ign)/ { printf \"%s-\", $2 }' /proc/self/status", LONG_MS,
                false);
    desk_fetch(&desk);
    desk_await(&desk, NULL);
    assert_int_equal(strtoull(desk.token, &rest, 16), 0);
    assert_int_equal(*rest, '-');
    /* glibc leaves its own two, 32 and 33, ignored */
    assert_int_equal(strtoull(rest + 1, NULL, 16) & ~(3ULL << 31), 0);
    sigprocmask(SIG_UNBLOCK, &some, NULL);
    sigaction(SIGPIPE, &usual, NULL);
    desk_fini(&desk);
}

static void test_arguments(void **state)
{
    char program[128], blank[] = "a b", quote[] = "$(id)", end[] = "*";
    char *words[] = { program, blank, quote, end };
    struct desk desk;

    (void)state;
    desk_init(&desk);
    desk_write(&desk, "program", "#!/bin/sh\nprintf '%s.' $# \"$@\" | tr ' ' _\n", 0700);
    desk_path(&desk, "program", program);
    give_words(&desk, words, 4, LONG_MS, false);
    memset(blank, 'x', 3); /* they were copied */
    desk_fetch(&desk);
    desk_await(&desk, NULL);
    assert_string_equal(desk.token, "3.a_b.$(id).*.");
    desk_fini(&desk);
}

/* ---- again and again ---- */

static void test_fifty(void **state)
{
    struct desk desk;

    (void)state;
    desk_init(&desk);
    int before = count_descriptors();
    give_script(&desk, "echo abc", LONG_MS, false);
    desk.again = 49; /* from within the answer */
    desk_fetch(&desk);
    desk_await(&desk, NULL);
    assert_int_equal(desk.answers, 50);
    assert_string_equal(desk.token, "abc");
    assert_int_equal(count_descriptors(), before);
    nobody_is_left();
    desk_fini(&desk);
}

static void test_mended(void **state)
{
    char path[128];
    struct desk desk;

    (void)state;
    desk_init(&desk);
    give_script(&desk, "exit 1", LONG_MS, false);
    assert_int_equal(unlink(desk_path(&desk, "program", path)), 0);
    desk_fetch(&desk);
    desk_await(&desk, "there is no program");
    desk_write(&desk, "program", "#!/bin/sh\nexit 2\n", 0700);
    desk_fetch(&desk);
    desk_await(&desk, "it exited with 2");
    desk_write(&desk, "program", "#!/bin/sh\necho abc\n", 0700);
    desk_fetch(&desk);
    desk_await(&desk, "abc");
    assert_string_equal(desk.token, "abc");
    desk_fini(&desk);
}

/* ---- let go of ---- */

static struct freed {
    const char *name, *lines;
    bool asked, without_pidfd;
} freed[] = {
    { "never asked", "echo abc", false, false },
    { "while it runs", "exec sleep 60", true, false },
    { "while it runs, without pidfds", "exec sleep 60", true, true },
    { "while its children run", "sleep 60 & sleep 60", true, false },
    { "with an answer that nobody has read", "echo abc", true, false },
    { "before it is told that there is no such program", NULL, true, false },
};

static void test_freed(void **state)
{
    const struct freed *row = *state;
    char nothing[] = "/no/such/program", *words[] = { nothing };
    struct desk desk;

    desk_init(&desk);
    int before = count_descriptors();
    if (row->lines)
        give_script(&desk, row->lines, LONG_MS, row->without_pidfd);
    else
        give_words(&desk, words, 1, LONG_MS, false);
    if (row->asked)
        desk_fetch(&desk);
    uint64_t began = loop_now_us();
    token_source_free(desk.source);
    assert_true(loop_now_us() - began < 5000000);
    desk.source = NULL;
    nobody_is_left();
    desk_spin(&desk);
    assert_int_equal(desk.answers, 0);
    assert_int_equal(count_descriptors(), before);
    desk_fini(&desk);
}

static void test_freed_by_the_answer(void **state)
{
    static const char *const lines[] = { "echo abc", "exit 3", "exec sleep 60", "yes" };
    struct desk desk;

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        desk_init(&desk);
        give_script(&desk, lines[i], SHORT_MS, false);
        desk.frees = true;
        desk_fetch(&desk);
        desk_await(&desk, NULL);
        desk_spin(&desk);
        assert_int_equal(desk.answers, 1);
        nobody_is_left();
        desk_fini(&desk);
    }
}

static void copy_setuid(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    struct stat status;

    assert_int_equal(fstat(in, &status), 0);
    assert_int_equal(sendfile(out, in, NULL, (size_t)status.st_size), status.st_size);
    assert_int_equal(fchmod(out, 04755), 0);
    close(in);
    close(out);
}

/* A program that became somebody else, as sudo does. Only root can set this up. */
static void test_stuck(void **state)
{
    static const char setpriv[] = "/usr/bin/setpriv";
    char path[128], reuid[] = "--reuid=0", keep[] = "--keep-groups", sleeper[] = "sleep",
                    time[] = "60";
    char *words[] = { path, reuid, keep, sleeper, time };
    struct desk desk;

    (void)state;
    if (geteuid() != 0 || access(setpriv, X_OK) != 0)
        skip();
    desk_init(&desk);
    int before = count_descriptors();
    assert_int_equal(chmod(desk.folder, 0755), 0);
    copy_setuid(setpriv, desk_path(&desk, "setpriv", path));
    assert_int_equal(setresuid(65534, 65534, 0), 0);
    give_words(&desk, words, 5, SHORT_MS, false);
    desk_fetch(&desk);
    desk_await(&desk, "it had not ended after 200 ms and cannot be killed");
    desk_fetch(&desk);
    desk_await(&desk, "still there and cannot be killed");
    assert_int_equal(setresuid(0, 0, 0), 0);
    assert_int_equal(desk.answers, 2);
    token_source_free(desk.source); /* now it can be */
    desk.source = NULL;
    assert_int_equal(count_descriptors(), before);
    nobody_is_left();
    desk_fini(&desk);
}

/* As the first process of a container, which every orphan falls to. */
static void test_orphans(void **state)
{
    struct desk desk;
    siginfo_t info;

    (void)state;
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    desk_init(&desk);
    give_script(&desk, "sleep 60 & sleep 60 & echo abc", LONG_MS, false);
    for (int i = 0; i < 3; i++) {
        desk_fetch(&desk);
        desk_await(&desk, "abc");
        assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0); /* killed with it */
        assert_int_equal(info.si_status, SIGKILL);
    }
    while (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == 0 && desk.source) {
        token_source_free(desk.source); /* takes what has ended of the last run */
        desk.source = NULL;
    }
    while (waitpid(-1, NULL, 0) > 0)
        continue;
    prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
    desk_fini(&desk);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, outputs, test_telling);
    STORIES_ADD(&stories, ends, test_telling);
    STORIES_ADD(&stories, ends, test_without_pidfd);
    STORIES_ADD(&stories, unstarted, test_unstarted);
    STORIES_ADD(&stories, freed, test_freed);
    stories_add(&stories, "check", test_check, NULL);
    stories_add(&stories, "the environment is scrubbed", test_environment, NULL);
    stories_add(&stories, "descriptors are not inherited", test_descriptors, NULL);
    stories_add(&stories, "signal settings are not inherited", test_signals, NULL);
    stories_add(&stories, "arguments reach it as they are", test_arguments, NULL);
    stories_add(&stories, "fifty times, from within the answer", test_fifty, NULL);
    stories_add(&stories, "a program that is mended", test_mended, NULL);
    stories_add(&stories, "freed by its answer", test_freed_by_the_answer, NULL);
    stories_add(&stories, "a program that we may not kill", test_stuck, NULL);
    stories_add(&stories, "orphans of the programs before are reaped", test_orphans, NULL);
    return stories_run("source_command", &stories);
}
