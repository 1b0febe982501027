/* What ends it: signals, an operator, an app or a companion that has ended, a successor, a helper that is gone.
 *
 *   told to end --delay--> drains, listening no more --its clients have left, or --drain-timeout--> the end
 *   succeeded ------------------------------------ the same, but that idle clients stay until they have had one
 *                                                  more response, or until --drain-timeout; then it drains */
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/admin.h"
#include "proxy/companion.h"
#include "proxy/handover.h"
#include "proxy/helper.h"
#include "proxy/log.h"
#include "proxy/notify.h"
#include "proxy/sidecar_listeners.h"
#include "proxy/sidecar_parts.h"

static void leave_loop(const struct sidecar *sidecar)
{
    event_base_loopbreak(loop_base(sidecar->loop));
}

void sidecar_emptied(void *context)
{
    leave_loop(context);
}

/* ---- draining ---- */

static void cut_now(struct sidecar *sidecar)
{
    log_message(sidecar->log, LOG_WARNING, "drain_cut", "a second signal: ending now");
    leave_loop(sidecar);
    sidecar->exit_code = 1;
}

void sidecar_drain(struct sidecar *sidecar, const char *why)
{
    if (sidecar->draining) {
        cut_now(sidecar);
        return;
    }
    deadline_clear(&sidecar->delay_deadline);
    log_message(sidecar->log, LOG_INFO, "draining", "%s: %zu clients are connected", why,
                crew_facts(sidecar->crew)->n_clients);
    sidecar->leaving = sidecar->draining = true;
    notify_stopping(sidecar->notify);
    deadline_set(sidecar->drain_deadlines, &sidecar->drain_deadline);
    crew_drain(sidecar->crew);
}

static void on_drain_deadline(struct deadline *deadline)
{
    struct sidecar *sidecar = CONTAINER_OF(deadline, struct sidecar, drain_deadline);

    if (!sidecar->draining) {
        sidecar_drain(sidecar, "the clients that are left");
        return;
    }
    log_message(sidecar->log, LOG_WARNING, "drain_cut",
                "%zu clients were still busy at --drain-timeout",
                crew_facts(sidecar->crew)->n_clients);
    leave_loop(sidecar);
}

static void on_delay_deadline(struct deadline *deadline)
{
    sidecar_drain(CONTAINER_OF(deadline, struct sidecar, delay_deadline), "--drain-delay is over");
}

void sidecar_leave(struct sidecar *sidecar)
{
    sidecar->leaving = true;
    crew_leave(sidecar->crew);
}

void sidecar_begin_to_end(struct sidecar *sidecar, const char *why)
{
    bool again = sidecar->told_to_end;

    sidecar->told_to_end = true;
    if (again) {
        cut_now(sidecar);
    } else if (!sidecar->settings->drain_delay_ms || sidecar->draining) {
        sidecar_drain(sidecar, why);
    } else {
        log_message(sidecar->log, LOG_INFO, "leaving", "%s: no new connections after %u ms", why,
                    sidecar->settings->drain_delay_ms);
        sidecar_leave(sidecar);
        notify_stopping(sidecar->notify);
        deadline_set(sidecar->delay_deadlines, &sidecar->delay_deadline);
    }
}

/* ---- a successor ---- */

/* Once it drains, the listeners are closed, each in its worker's time. */
void sidecar_give(void *context, int channel)
{
    const struct sidecar *sidecar = context;

    if (!sidecar->draining)
        listeners_give(sidecar->listeners, channel);
}

/* Our listeners have another owner. Clients stay until they have had one more response: closing an idle one could
 * cross its next request. */
void sidecar_succeeded(void *context)
{
    struct sidecar *sidecar = context;

    log_message(sidecar->log, LOG_INFO, "succeeded", "another has taken our listeners over");
    listeners_let_go(sidecar->listeners);
    handover_free(sidecar->handover);
    admin_free(sidecar->admin);
    sidecar->handover = NULL;
    sidecar->admin = NULL;
    sidecar->leaving = true;
    deadline_set(sidecar->drain_deadlines, &sidecar->drain_deadline);
    crew_succeeded(sidecar->crew);
}

/* ---- processes ---- */

static void on_companion_ended(void *context)
{
    struct sidecar *sidecar = context;

    if (!sidecar->told_to_end)
        sidecar_begin_to_end(sidecar, "the process of --exit-with has ended");
}

static void on_helper_lost(void *context)
{
    struct sidecar *sidecar = context;

    log_message(sidecar->log, LOG_ERROR, "helper_lost", "our helper has ended: so do we");
    sidecar->exit_code = 1;
    leave_loop(sidecar);
}

/* ---- signals ---- */

static void take_signal(struct sidecar *sidecar, uint32_t number)
{
    struct diags told = { 0 };

    if (number == SIGHUP) {
        sidecar_reload(sidecar, &told);
        diags_fini(&told);
    } else {
        sidecar_begin_to_end(sidecar, number == SIGTERM ? "SIGTERM" : "SIGINT");
    }
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    struct signalfd_siginfo sent;

    (void)what;
    while (read(fd, &sent, sizeof(sent)) == (ssize_t)sizeof(sent))
        take_signal(arg, sent.ssi_signo);
}

/* Read, not caught: for a handler the kernel would put the registers on the stack, and with them whatever of a secret
 * was last moved or decrypted. */
void sidecar_watch_signals(struct sidecar *sidecar)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sidecar->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (sidecar->signals < 0)
        abort();
    sidecar->signalled = event_new(loop_base(sidecar->loop), sidecar->signals, EV_READ | EV_PERSIST,
                                   on_signal, sidecar);
    event_add(sidecar->signalled, NULL);
}

/* ---- beginning and end ---- */

void sidecar_build_ending(struct sidecar *sidecar)
{
    const struct settings *settings = sidecar->settings;

    sidecar->drain_deadline.passed = on_drain_deadline;
    sidecar->delay_deadline.passed = on_delay_deadline;
    sidecar->drain_deadlines = deadlines_new(sidecar->loop, settings->drain_ms);
    sidecar->delay_deadlines = deadlines_new(sidecar->loop, settings->drain_delay_ms);
    if (sidecar->helper)
        helper_watch(sidecar->helper, sidecar->loop, on_helper_lost, sidecar);
    companion_watch(sidecar->companion, sidecar->loop, on_companion_ended, sidecar);
}

void sidecar_silence_ending(struct sidecar *sidecar)
{
    deadline_clear(&sidecar->delay_deadline);
    deadline_clear(&sidecar->drain_deadline);
    handover_free(sidecar->handover);
    companion_free(sidecar->companion);
    sidecar->companion = NULL;
    if (sidecar->signalled)
        event_free(sidecar->signalled);
    if (sidecar->signals > 0)
        close(sidecar->signals);
}
