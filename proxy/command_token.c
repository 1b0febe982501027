/* token: what is known of the app token, but for its value. A running sidecar is asked first; where
 * none answers, the sources are asked as a start would ask them. */
#include <event2/event.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/command_admin.h"
#include "proxy/command_parts.h"
#include "proxy/commands.h"
#include "proxy/log.h"
#include "proxy/loop.h"
#include "proxy/sidecar_origins.h"
#include "proxy/sidecar_tokens.h"
#include "proxy/tally.h"
#include "proxy/token/locked.h"
#include "proxy/token/report.h"

enum { LIVE = 0, NONE_LIVE = 1, UNUSABLE = 2 };

/* ---- a running sidecar ---- */

/* NULL: none answers. Another app's sidecar may stand there: then its answer is not ours. */
static json_t *ask_running(const struct settings *settings)
{
    static char answer[ADMIN_ANSWER_MAX];
    unsigned status = command_ask_admin(&settings->admin, "GET", "/token", answer);
    json_t *report = status ? json_loads(answer, 0, NULL) : NULL;
    const char *account = json_string_value(json_object_get(report, "account"));

    if (account && strcmp(account, settings->account) == 0) {
        json_object_set_new(report, "running", json_true());
        return report;
    }
    if (account)
        fprintf(stderr,
                "janus-sidecar: the sidecar at --admin is for the account %s; it is not asked\n",
                account);
    json_decref(report);
    return NULL;
}

/* ---- the sources themselves ---- */

struct asking {
    struct loop *loop;
    struct token_waiter waiter;
};

static void on_arrived(struct token_waiter *waiter)
{
    const struct asking *asking = CONTAINER_OF(waiter, struct asking, waiter);

    event_base_loopbreak(loop_base(asking->loop));
}

static void wait_for_token(struct loop *loop, struct token_keeper *keeper, unsigned wait_ms)
{
    struct asking asking = { .loop = loop, .waiter = { .arrived = on_arrived } };
    struct timeval limit = { wait_ms / 1000, (suseconds_t)(wait_ms % 1000) * 1000 };

    token_keeper_start(keeper);
    if (token_desk_current(token_keeper_desk(keeper)))
        return;
    token_desk_wait(token_keeper_desk(keeper), &asking.waiter);
    event_base_loopexit(loop_base(loop), &limit);
    event_base_dispatch(loop_base(loop));
    token_desk_leave(token_keeper_desk(keeper), &asking.waiter);
}

static json_t *ask_sources(const struct settings *settings, const struct tls *tls)
{
    struct loop *loop = loop_new();
    struct log *log = log_new(NULL, STDERR_FILENO, LOG_WARNING);
    struct tally tally = { 0 }; /* nobody asks */
    struct origins *origins = origins_new(loop, log, settings, tls, NULL, 0, 1, NULL, &tally);
    struct token_keeper *keeper =
        sidecar_tokens_new(settings, loop, log, origins_pool(origins), NULL);
    struct token_facts facts;

    wait_for_token(loop, keeper, settings->token_timeout_ms);
    token_keeper_facts(keeper, &facts);
    json_t *report = token_report(&facts, settings);
    json_object_set_new(report, "running", json_false());
    token_keeper_free(keeper);
    origins_silence(origins);
    event_base_loop(loop_base(loop), EVLOOP_NONBLOCK); /* lets cancelled look-ups end */
    origins_free(origins);
    log_free(log);
    loop_free(loop);
    return report;
}

/* ---- telling ---- */

static void print_value(const char *name, const json_t *value)
{
    if (json_is_string(value))
        printf("%-13s %s\n", name, json_string_value(value));
    else if (json_is_integer(value))
        printf("%-13s %" JSON_INTEGER_FORMAT "\n", name, json_integer_value(value));
}

/* "in 2 h 5 min", roughly: two units are enough for a person. */
static void print_span(const char *name, const json_t *value)
{
    long long s = json_integer_value(value) / 1000;

    if (!json_is_integer(value))
        return;
    if (s < 0)
        printf("%-13s overdue\n", name);
    else if (s >= 3600)
        printf("%-13s in %lld h %lld min\n", name, s / 3600, s / 60 % 60);
    else if (s >= 60)
        printf("%-13s in %lld min %lld s\n", name, s / 60, s % 60);
    else
        printf("%-13s in %lld s\n", name, s);
}

static void print_claims(const json_t *claims)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)claims, name, value) print_value(name, value);
}

static void print_report(const json_t *report)
{
    const json_t *warnings = json_object_get(report, "warnings");

    printf("%-13s %s\n", "asked",
           json_is_true(json_object_get(report, "running")) ? "the running sidecar"
                                                            : "the sources; no sidecar is running");
    printf("%-13s %s\n", "token", json_is_true(json_object_get(report, "live")) ? "live" : "none");
    print_value("source", json_object_get(report, "from"));
    print_value("generation", json_object_get(report, "generation"));
    print_value("fingerprint", json_object_get(report, "fingerprint"));
    print_claims(json_object_get(report, "claims"));
    print_span("expires", json_object_get(report, "expiresInMs"));
    print_span("renewal", json_object_get(report, "renewalInMs"));
    print_value("complaint", json_object_get(report, "complaint"));
    for (size_t i = 0; i < json_array_size(warnings); i++)
        print_value("warning", json_array_get(warnings, i));
}

/* NULL: they cannot be asked, and it has been said why. */
static json_t *ask_usable_sources(const struct settings *settings)
{
    struct diags diags = { 0 };
    struct tls *tls = tls_new(settings, &diags);

    sidecar_tokens_check(settings, &diags);
    diags_print(&diags, stderr);
    json_t *report = diags.fatal == 0 ? ask_sources(settings, tls) : NULL;
    tls_free(tls);
    diags_fini(&diags);
    return report;
}

/* The running one goes first: whoever asks it need not be able to read the sources. */
static int tell(const struct settings *settings, bool json)
{
    json_t *report = ask_running(settings);

    if (!report)
        report = ask_usable_sources(settings);
    if (!report)
        return UNUSABLE;
    int exit_code = json_is_true(json_object_get(report, "live")) ? LIVE : NONE_LIVE;
    if (!json)
        print_report(report);
    if (json)
        command_print_json(report);
    else
        json_decref(report);
    return exit_code;
}

int command_token(int argc, char **argv)
{
    struct diags diags = { 0 };
    bool json = command_take_json(&argc, argv);
    struct settings *settings = settings_load(argc, argv, NULL, &diags);
    int exit_code = UNUSABLE;

    locked_harden_process();
    diags_print(&diags, stderr);
    if (diags.fatal == 0)
        exit_code = tell(settings, json);
    settings_free(settings);
    diags_fini(&diags);
    return exit_code;
}
