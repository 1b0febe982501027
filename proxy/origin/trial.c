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
    *trial = (struct trial){ context, host, *address, false };
    if (!context->circuits)
        return true;
    trial->on = circuit_allows(context->circuits, host, address_of(trial),
                               loop_now_ms(context->loop), left_ms);
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

void trial_failed(struct trial *trial, const char *why)
{
    if (!ends(trial))
        return;
    uint64_t open_ms = circuit_failed(trial->context->circuits, trial->host, address_of(trial),
                                      loop_now_ms(trial->context->loop));
    if (open_ms && trial->context->log)
        say_open(trial, open_ms, why);
}

void trial_worked(struct trial *trial)
{
    char address[ADDRESS_TEXT_MAX];

    if (!ends(trial) ||
        !circuit_succeeded(trial->context->circuits, trial->host, address_of(trial)) ||
        !trial->context->log)
        return;
    address_text(address_of(trial), address);
    log_message(trial->context->log, LOG_INFO, "circuit_closed", "%s at %s answers again",
                trial->host, address);
}

void trial_left(struct trial *trial)
{
    if (ends(trial))
        circuit_left(trial->context->circuits, trial->host, address_of(trial));
}
