/* tests/flow/kit_wait.h - the only place where a flow test waits.
 *
 * Every wait is for an event, with a deadline that no healthy run comes near; when it passes, the
 * test fails with the name of what did not come. While somebody waits, the pipes of the children
 * are read, so that no child ever stands still because nobody listens. */
#ifndef TESTS_FLOW_KIT_WAIT_H
#define TESTS_FLOW_KIT_WAIT_H

#include <poll.h>
#include <stdbool.h>

enum {
    PATIENCE_MS = 20000, /* for what must come, on a loaded machine too */
    STALL_MS = 300,      /* nothing moves for so long: it stands still */
};

long long now_ms(void);

/* Until one of `fds` is ready (true) or the time has passed (false). */
bool wait_any(struct pollfd *fds, nfds_t n, long long deadline_ms);
/* Until `fd` is ready; fails the test with `what` otherwise. */
void wait_for(int fd, short events, const char *what);

/* `readable` is called whenever the descriptor is readable during a wait. */
typedef void watcher(void *context);
void watch(int fd, watcher *readable, void *context);
void unwatch(int fd);

#endif
