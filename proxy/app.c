#include "proxy/app.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/loop.h"

enum { CANNOT_RUN = 126, NOT_FOUND = 127, SIGNALLED = 128 };

struct app {
    pid_t pid;
    bool over;
    int pidfd, signals;
    struct event *end, *signalled;
    void (*ended)(void *context, int status);
    void (*late)(void *context);
    void *context;
};

static sigset_t forwarded(void)
{
    static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH };
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaddset(&set, numbers[i]);
    return set;
}

void app_hold_signals(void)
{
    sigset_t set = forwarded();

    sigprocmask(SIG_BLOCK, &set, NULL);
}

/* ---- the child ---- */

/* What we changed for ourselves is undone: an ignored signal, the mask and limits would be inherited. */
static void become(const struct app_plan *plan, pid_t parent)
{
    struct sigaction usual = { .sa_handler = SIG_DFL };
    sigset_t none;

    sigaction(SIGPIPE, &usual, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setrlimit(RLIMIT_NOFILE, &plan->files);
    setrlimit(RLIMIT_CORE, &plan->core);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(CANNOT_RUN); /* it died before it could take us along */
    for (size_t i = 0; plan->hidden[i]; i++)
        unsetenv(plan->hidden[i]);
    for (size_t i = 0; plan->variables[i]; i++)
        putenv(plan->variables[i]);
    execvp(plan->argv[0], plan->argv);
    int status = errno == ENOENT ? NOT_FOUND : CANNOT_RUN;
    fprintf(stderr, "janus-sidecar: cannot run %s: %s\n", plan->argv[0], strerror(errno));
    _exit(status);
}

/* ---- its end, and signals ---- */

static void on_end(evutil_socket_t fd, short what, void *arg)
{
    struct app *app = arg;
    int status;

    (void)fd;
    (void)what;
    if (waitpid(app->pid, &status, WNOHANG) != app->pid)
        return;
    app->over = true;
    event_del(app->end);
    app->ended(app->context,
               WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALLED + WTERMSIG(status));
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    struct app *app = arg;
    struct signalfd_siginfo sent;

    (void)what;
    while (read(fd, &sent, sizeof(sent)) == (ssize_t)sizeof(sent)) {
        if (!app->over && sent.ssi_code != SI_KERNEL)
            kill(app->pid, (int)sent.ssi_signo);
        else if (app->over && (sent.ssi_signo == SIGTERM || sent.ssi_signo == SIGINT))
            app->late(app->context);
    }
}

struct app *app_start(struct loop *loop, const struct app_plan *plan,
                      void (*ended)(void *context, int status), void (*late)(void *context),
                      void *context)
{
    struct app *app = mem_alloc(1, sizeof(*app));
    sigset_t set = forwarded();
    pid_t parent = getpid();

    *app = (struct app){ .ended = ended, .late = late, .context = context };
    app->pid = fork();
    if (app->pid == 0)
        become(plan, parent);
    app->pidfd = app->pid > 0 ? pidfd_open(app->pid, 0) : -1;
    app->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (app->pidfd < 0 || app->signals < 0) {
        app_free(app);
        return NULL;
    }
    app->end = event_new(loop_base(loop), app->pidfd, EV_READ | EV_PERSIST, on_end, app);
    app->signalled = event_new(loop_base(loop), app->signals, EV_READ | EV_PERSIST, on_signal, app);
    event_add(app->end, NULL);
    event_add(app->signalled, NULL);
    return app;
}

pid_t app_pid(const struct app *app)
{
    return app->pid;
}

void app_free(struct app *app)
{
    if (!app)
        return;
    if (app->end)
        event_free(app->end);
    if (app->signalled)
        event_free(app->signalled);
    if (app->pid > 0 && !app->over) {
        kill(app->pid, SIGKILL);
        waitpid(app->pid, NULL, 0);
    }
    if (app->pidfd >= 0)
        close(app->pidfd);
    if (app->signals >= 0)
        close(app->signals);
    free(app);
}
