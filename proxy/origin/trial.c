#include "proxy/origin/trial.h"

#include "proxy/log.h"
#include "proxy/loop.h"
#include "proxy/origin/circuit.h"
#include "proxy/origin/origin_context.h"
#include "proxy/socket.h"

static const struct sockaddr *address_of(const struct trial *trial)
{
    return (const struct sockaddr *)&trial->address;
}

bool trial_begins(struct trial *trial, const struct origin_context *context, const char *host,
                  const struct sockaddr_storage *address, uint64_t *left_ms)
{
    *trial = (struct trial){ context, host, *address, loop_now_ms(context->loop), false };
    if (!context->circuits)
        return true;
    trial->on =
        circuit_allows(context->circuits, host, address_of(trial), trial->began_ms, left_ms);
    return trial->on;
}

static bool ends(struct trial *trial)
{
    bool was_on = trial->on;

    trial->on = false;
    return was_on;
}

static void say_open(const struct trial *trial, uint64_t open_ms, const char *why)
{
    char address[ADDRESS_TEXT_MAX];

    address_text(address_of(trial), address);
    log_message(trial->context->log, LOG_WARNING, "circuit_open",
                "%s at %s is left alone for %llu ms: %s", trial->host, address,
                (unsigned long long)open_ms, why);
}

static void say_closed(const struct trial *trial)
{
    char address[ADDRESS_TEXT_MAX];

    if (!trial->context->log)
        return;
    address_text(address_of(trial), address);
    log_message(trial->context->log, LOG_INFO, "circuit_closed", "%s at %s answers again",
                trial->host, address);
}

static void fail(struct trial *trial, enum circuit_failure how, uint64_t began_ms, const char *why)
{
    uint64_t open_ms = circuit_failed(trial->context->circuits, trial->host, address_of(trial), how,
                                      began_ms, loop_now_ms(trial->context->loop));

    if (open_ms && trial->context->log)
        say_open(trial, open_ms, why);
}

void trial_failed(struct trial *trial, const char *why)
{
    if (ends(trial))
        fail(trial, CIRCUIT_UNREACHABLE, trial->began_ms, why);
}

void trial_connected(struct trial *trial)
{
    if (!ends(trial))
        return;
    enum circuit_now now =
        circuit_connected(trial->context->circuits, trial->host, address_of(trial));
    trial->on = now == CIRCUIT_WAITING;
    if (now == CIRCUIT_CLOSED)
        say_closed(trial);
}

void trial_answered(struct trial *trial)
{
    const struct circuits *circuits = trial->context->circuits;

    if (!circuits || circuits_are_empty(circuits))
        return;
    trial->on = false;
    if (circuit_answered(trial->context->circuits, trial->host, address_of(trial)))
        say_closed(trial);
}

void trial_silent(struct trial *trial, unsigned waited_ms)
{
    if (!trial->context || !trial->context->circuits) /* it was never reached */
        return;
    trial->on = false;
    fail(trial, CIRCUIT_SILENT, loop_now_ms(trial->context->loop) - waited_ms,
         "it did not answer in time");
}

void trial_left(struct trial *trial)
{
    if (ends(trial))
        circuit_left(trial->context->circuits, trial->host, address_of(trial));
}
