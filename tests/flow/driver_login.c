/* The token source `login` alone, with a real loop and a real pool, as a child of flow_login.
 *
 *   login-driver [JANUS_NAME=VALUE ...] [check] OPTION...
 *
 * check prints the findings. Otherwise it says "ready" and does what signals tell it: SIGHUP asks,
 * SIGUSR1 frees the source, SIGUSR2 frees it from inside the next answer, SIGTERM ends. Each answer
 * is one line: "answer: arrived TOKEN EXPIRES", "answer: failed WHY", "answer: changing WHY". */
#include <assert.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/login.h"
#include "proxy/loop.h"
#include "proxy/origin/pool.h"
#include "proxy/origin/resolve.h"
#include "proxy/tally.h"

enum { SIGNALS = 4 };

static struct driver {
    struct loop *loop;
    struct pool *pool;
    struct token_source *source;
    bool asking, free_in_answer;
} driver;

/* ---- answers ---- */

static void after_answer(void)
{
    assert(!driver.asking); /* never from inside fetch */
    if (driver.free_in_answer) {
        token_source_free(driver.source);
        driver.source = NULL;
    }
}

static void on_arrived(void *arg, struct token *token)
{
    struct text text = token_text(token);

    (void)arg;
    fprintf(stderr, "answer: arrived " TEXT_FMT " %lld\n", TEXT_ARG(text),
            (long long)token_expires_at(token));
    token_unref(token);
    after_answer();
}

static void on_failed(void *arg, const char *why, bool will_change)
{
    (void)arg;
    fprintf(stderr, "answer: %s %s\n", will_change ? "changing" : "failed", why);
    after_answer();
}

static const struct token_source_owner owner = { on_arrived, on_failed };

/* ---- orders ---- */

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    (void)what, (void)arg;
    if (number == SIGTERM) {
        event_base_loopbreak(loop_base(driver.loop));
    } else if (number == SIGUSR2) {
        driver.free_in_answer = true;
    } else if (number == SIGUSR1) {
        token_source_free(driver.source);
        driver.source = NULL;
    } else {
        driver.asking = true;
        token_source_fetch(driver.source);
        driver.asking = false;
    }
    fprintf(stderr, "order %d is carried out\n", (int)number);
}

static void run(const struct settings *settings, const struct tls *tls)
{
    static const int numbers[SIGNALS] = { SIGHUP, SIGUSR1, SIGUSR2, SIGTERM };
    struct event *signals[SIGNALS];

    driver.loop = loop_new();
    struct tally tally = { 0 };
    struct resolver *resolver = resolver_new(driver.loop, settings, NULL, &tally.names);
    struct origin_context context = { .loop = driver.loop,
                                      .resolver = resolver,
                                      .tls = tls,
                                      .settings = settings,
                                      .attempts = deadlines_new(driver.loop, CONNECT_ATTEMPT_MS),
                                      .connecting =
                                          deadlines_new(driver.loop, settings->connect_ms),
                                      .tally = &tally };
    driver.pool = pool_new(&context);
    struct login_rules rules = { driver.loop, driver.pool, settings };
    driver.source = login_source_new(&rules);
    token_source_start(driver.source, &owner, NULL);
    for (size_t i = 0; i < SIGNALS; i++) {
        signals[i] = evsignal_new(loop_base(driver.loop), numbers[i], on_signal, NULL);
        event_add(signals[i], NULL);
    }
    fprintf(stderr, "ready %s\n", driver.source->label);
    event_base_dispatch(loop_base(driver.loop));

    for (size_t i = 0; i < SIGNALS; i++)
        event_free(signals[i]);
    token_source_free(driver.source);
    pool_free(driver.pool);
    event_base_loop(loop_base(driver.loop), EVLOOP_NONBLOCK); /* cancelled look-ups end */
    resolver_free(resolver);
    deadlines_free(context.attempts);
    deadlines_free(context.connecting);
    loop_free(driver.loop);
}

int main(int argc, char **argv)
{
    struct diags diags = { 0 };
    struct strings words = { 0 };
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    int first = 1;

    for (; first < argc && strncmp(argv[first], "JANUS_", 6) == 0; first++)
        putenv(argv[first]);
    sigaction(SIGPIPE, &ignore, NULL);
    struct settings *settings = settings_load(argc, argv, &words, &diags);
    bool check = first < argc && strcmp(argv[first], "check") == 0;
    login_check(settings, &diags);
    struct tls *tls = check ? NULL : tls_new(settings, &diags);
    diags_print(&diags, stderr);
    if (tls)
        run(settings, tls);
    tls_free(tls);
    settings_free(settings);
    free(words.items);
    int exit_code = check ? diags.fatal != 0 : !tls;
    diags_fini(&diags);
    return exit_code;
}
