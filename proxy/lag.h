/* proxy/lag.h - how late a loop comes to what is due, measured while it works.
 *
 * A timer of LAG_PROBE_MS rings, and what it rings late is what everything else waited too. It is armed by
 * work and not armed again without: an idle loop has no timer, and a loop that has just become idle wakes up
 * once more. The timer's own grain is a millisecond. */
#ifndef PROXY_LAG_H
#define PROXY_LAG_H

#include <stdbool.h>

struct lag;
struct loop;
struct tally_times;

/* Counts into `times`, which outlives it. */
struct lag *lag_new(struct loop *loop, struct tally_times *times);
void lag_free(struct lag *lag);

/* Something is done. Cheap: called for every event of every exchange. */
void lag_note_work(struct lag *lag);

#endif
