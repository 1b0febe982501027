/* proxy/origin/trial.h - one attempt at one address, as its circuit sees it. Held by value.
 *
 * Between trial_begins() and one of the three endings the circuit waits for what becomes of it. An ending
 * without a beginning, or a second one, says nothing. */
#ifndef PROXY_ORIGIN_TRIAL_H
#define PROXY_ORIGIN_TRIAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct origin_context;

struct trial {
    const struct origin_context *context;
    const char *host; /* borrowed, outlives the trial */
    struct sockaddr_storage address;
    bool on;
};

/* False if the circuit is open; then `left_ms` is how long it stays so, 0 while somebody else probes. */
bool trial_begins(struct trial *trial, const struct origin_context *context, const char *host,
                  const struct sockaddr_storage *address, uint64_t *left_ms);
void trial_failed(struct trial *trial, const char *why);
void trial_worked(struct trial *trial);
/* Nobody wants to know any more, or it was we who could not. */
void trial_left(struct trial *trial);

#endif
