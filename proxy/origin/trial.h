/* proxy/origin/trial.h - one connection to one address, as its circuit sees it. Held by value.
 *
 * Between trial_begins() and failed, connected or left the circuit waits for what becomes of it. Such an
 * ending without a beginning, or a second one, says nothing. A circuit that silence has opened goes on
 * waiting behind `connected`, until answered, silent or left. */
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
    uint64_t began_ms;
    bool on;
};

/* False if the circuit is open; then `left_ms` is how long it stays so, 0 while somebody else probes. */
bool trial_begins(struct trial *trial, const struct origin_context *context, const char *host,
                  const struct sockaddr_storage *address, uint64_t *left_ms);
void trial_failed(struct trial *trial, const char *why);
void trial_connected(struct trial *trial);
/* Each time a response begins; and each time none came, to a request of `waited_ms` ago. */
void trial_answered(struct trial *trial);
void trial_silent(struct trial *trial, unsigned waited_ms);
/* Nobody wants to know any more, or it was we who could not. */
void trial_left(struct trial *trial);

#endif
