#include "tests/flow/kit_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "tests/flow/kit_bytes.h"
#include "tests/flow/kit_wait.h"
#include "tests/unit/stories.h"

enum { ARGUMENTS_MAX = 64, SIGNALLED = 256 };

struct pipe_end {
    int fd; /* -1: its other end is closed */
    struct bytes bytes;
    bool grows; /* a file: its end is not the end */
};

struct process {
    pid_t pid;
    int pidfd;
    bool ended;
    struct pipe_end out, err;
    size_t awaited; /* of err: up to here the test has looked */
};

/* ---- where the programs are
 * ------------------------------------------------------------------------ */

const char *process_folder(void)
{
    static char own[PATH_MAX];
    const char *given = getenv("JANUS_BIN_DIR");

    if (given && *given)
        return given;
    ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
    assert_true(n > 0);
    own[n] = '\0';
    return dirname(own);
}

/* ---- the child's side
 * ------------------------------------------------------------------------------ */

static int input_of(const char *input)
{
    int fd = input ? memfd_create("input", 0) : open("/dev/null", O_RDONLY);

    if (input && (write(fd, input, strlen(input)) != (ssize_t)strlen(input) || lseek(fd, 0, 0)))
        _exit(126);
    return fd;
}

/* The environment of a developer must not decide a test; but FLOW_THREADS=N runs any suite with threads. */
static void clean_environment(void)
{
    extern char **environ;
    char *names[ARGUMENTS_MAX];
    size_t n = 0;

    for (char **one = environ; *one && n < ARGUMENTS_MAX; one++) {
        if (strncmp(*one, "JANUS_", 6) == 0)
            names[n++] = text_copy(*one, strcspn(*one, "="));
    }
    for (size_t i = 0; i < n; i++)
        unsetenv(names[i]);
    if (getenv("FLOW_THREADS"))
        setenv("JANUS_THREADS", getenv("FLOW_THREADS"), 1);
}

static void limit_files(unsigned max)
{
    struct rlimit limit = { max, max };

    if (max && setrlimit(RLIMIT_NOFILE, &limit) != 0)
        _exit(126);
}

/* The machine itself does not notice: the file lies over the other one in a namespace of its own. */
static bool lay_over_hosts(const char *hosts)
{
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return false;
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount(hosts, "/etc/hosts", NULL, MS_BIND, NULL) == 0;
}

/* As systemd does: from 3 on, and open after exec. */
static void hand_over(const int handed[2])
{
    int copies[2];

    for (int i = 0; i < 2; i++)
        copies[i] = handed[i] ? fcntl(handed[i], F_DUPFD_CLOEXEC, 64) : -1;
    for (int i = 0; i < 2; i++) {
        if (copies[i] >= 0)
            dup2(copies[i], STDERR_FILENO + 1 + i);
    }
}

static void add_environment(const char *const *more)
{
    for (; more && *more; more++)
        putenv((char *)(uintptr_t)*more);
}

static void allow_dumps(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_CORE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_CORE, &limit);
    limit = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
    setrlimit(RLIMIT_CORE, &limit); /* root may */
}

static void become_nobody(void)
{
    if (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
        _exit(126);
}

static void become(const struct process_plan *plan, int out, int err)
{
    const char *arguments[ARGUMENTS_MAX] = { plan->program };
    char path[PATH_MAX];
    size_t n = 1;

    if (plan->hosts && !lay_over_hosts(plan->hosts))
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    for (; plan->options && plan->options[n - 1] && n < ARGUMENTS_MAX - 1; n++)
        arguments[n] = plan->options[n - 1];
    arguments[n] = NULL;
    snprintf(path, sizeof(path), "%s/%s", plan->folder ? plan->folder : process_folder(),
             plan->program);
    char *real = realpath(path, NULL);
    clean_environment();
    add_environment(plan->environment);
    if (plan->work_folder && chdir(plan->work_folder) != 0)
        _exit(126);
    dup2(input_of(plan->input), STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    if (plan->log == LOG_INTO_NOTHING)
        close(STDERR_FILENO);
    hand_over(plan->handed); /* last: 3 and 4 may be one of the others */
    limit_files(plan->max_files);
    if (plan->dumps)
        allow_dumps();
    if (plan->nobody)
        become_nobody();
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* again: another user forgets it */
    execv(real ? real : path, (char *const *)(uintptr_t)arguments);
    fprintf(stderr, "cannot run %s: %s\n", path, strerror(errno));
    _exit(127);
}

/* ---- our side
 * -------------------------------------------------------------------------------------- */

static void collect(void *context)
{
    struct pipe_end *end = context;
    ssize_t n = read(end->fd, bytes_room(&end->bytes, 16384), 16384);

    if (n > 0) {
        end->bytes.n += (size_t)n;
    } else if ((n == 0 && !end->grows) || (n < 0 && errno != EAGAIN)) {
        unwatch(end->fd);
        close(end->fd);
        end->fd = -1;
    }
    end->bytes.at[end->bytes.n] = '\0';
}

static void open_pipe(struct pipe_end *end, int *write_end)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    end->fd = ends[0];
    *write_end = ends[1];
    bytes_add(&end->bytes, "", 0);
    watch(end->fd, collect, end);
}

/* Both ends are of their own, so that the reader's offset is not the writer's. */
static void open_file(struct pipe_end *end, int *write_end)
{
    char path[] = "/tmp/janus-flow-log-XXXXXX";

    *write_end = mkostemp(path, O_CLOEXEC | O_APPEND);
    end->fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(*write_end >= 0 && end->fd >= 0);
    unlink(path);
    end->grows = true;
    bytes_add(&end->bytes, "", 0);
    watch(end->fd, collect, end);
}

static void open_terminal(struct pipe_end *end, int *write_end)
{
    struct termios raw;

    end->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    assert_true(end->fd >= 0 && grantpt(end->fd) == 0 && unlockpt(end->fd) == 0);
    *write_end = open(ptsname(end->fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(*write_end >= 0 && tcgetattr(*write_end, &raw) == 0);
    cfmakeraw(&raw);
    tcsetattr(*write_end, TCSANOW, &raw);
    bytes_add(&end->bytes, "", 0);
    watch(end->fd, collect, end);
}

static void open_log(enum process_log log, struct pipe_end *end, int *write_end)
{
    if (log == LOG_INTO_FILE)
        open_file(end, write_end);
    else if (log == LOG_INTO_TERMINAL)
        open_terminal(end, write_end);
    else
        open_pipe(end, write_end);
}

struct process *process_start(const struct process_plan *plan)
{
    struct process *process = calloc(1, sizeof(*process));
    int out, err;

    assert_non_null(process);
    open_pipe(&process->out, &out);
    open_log(plan->log, &process->err, &err);
    process->pid = fork();
    assert_true(process->pid >= 0);
    if (process->pid == 0)
        become(plan, out, err);
    close(out);
    close(err);
    process->pidfd = pidfd_open(process->pid, 0);
    assert_true(process->pidfd >= 0);
    return process;
}

bool process_may_have_hosts(const char *hosts)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(lay_over_hosts(hosts) ? 0 : 1);
    return waitpid(pid, &status, 0) == pid && status == 0;
}

static void close_end(struct pipe_end *end)
{
    if (end->fd >= 0) {
        unwatch(end->fd);
        close(end->fd);
    }
    bytes_free(&end->bytes);
}

void process_free(struct process *process)
{
    if (!process)
        return;
    if (!process->ended) {
        kill(process->pid, SIGKILL);
        waitpid(process->pid, NULL, 0);
    }
    close_end(&process->out);
    close_end(&process->err);
    close(process->pidfd);
    free(process);
}

pid_t process_id(const struct process *process)
{
    return process->pid;
}

void process_signal(const struct process *process, int number)
{
    assert_false(process->ended);
    assert_int_equal(kill(process->pid, number), 0);
}

int process_wait(struct process *process)
{
    int status;

    wait_for(process->pidfd, POLLIN, "the end of a child");
    assert_int_equal(waitpid(process->pid, &status, 0), process->pid);
    process->ended = true;
    process->err.grows = false;
    while (process->err.fd >= 0)
        collect(&process->err);
    while (process->out.fd >= 0)
        collect(&process->out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALLED + WTERMSIG(status);
}

const char *process_output(const struct process *process)
{
    return process->out.bytes.at;
}

const char *process_log(const struct process *process)
{
    return process->err.bytes.at;
}

void process_forget_log(struct process *process)
{
    process->err.bytes.n = process->awaited = 0;
    process->err.bytes.at[0] = '\0';
}

void process_close_log(struct process *process)
{
    if (process->err.fd < 0)
        return;
    unwatch(process->err.fd);
    close(process->err.fd);
    process->err.fd = -1;
}

/* The next whole line behind what was awaited, or NULL. */
static char *next_line(struct process *process)
{
    const char *from = process->err.bytes.at + process->awaited;
    const char *end = strchr(from, '\n');

    if (!end)
        return NULL;
    process->awaited += (size_t)(end - from) + 1;
    return text_copy(from, (size_t)(end - from));
}

char *process_await(struct process *process, const char *needle)
{
    long long deadline = now_ms() + PATIENCE_MS;
    char *line;

    for (;;) {
        while ((line = next_line(process))) {
            if (strstr(line, needle))
                return line;
            free(line);
        }
        if (process->err.fd < 0 || !wait_any(NULL, 0, deadline))
            fail_msg("no line with \"%s\" came:\n%s", needle, process_log(process));
    }
}

void process_await_line(struct process *process, const char *needle)
{
    free(process_await(process, needle));
}

static size_t status_kib(const struct process *process, const char *field)
{
    char path[64], line[256];
    size_t kib = 0;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)process->pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        if (strncmp(line, field, strlen(field)) == 0)
            kib = strtoul(line + strlen(field), NULL, 10);
    }
    fclose(file);
    assert_true(kib > 0);
    return kib;
}

size_t process_peak_kib(const struct process *process)
{
    return status_kib(process, "VmHWM:");
}

size_t process_now_kib(const struct process *process)
{
    return status_kib(process, "VmRSS:");
}

size_t process_descriptors(const struct process *process)
{
    char path[64];
    size_t n = 0;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)process->pid);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

long process_cpu_ms(const struct process *process)
{
    char path[64], line[1024] = "";
    long ticks = 0;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)process->pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof(line), file));
    fclose(file);
    char *field = strrchr(line, ')'); /* the end of field 2; utime is 14, stime 15 */
    for (int n = 2; field && n < 14; n++)
        field = strchr(field + 1, ' ');
    assert_non_null(field);
    ticks += strtol(field, &field, 10);
    ticks += strtol(field, &field, 10);
    return ticks * 1000 / sysconf(_SC_CLK_TCK);
}
