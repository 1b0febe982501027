/* proxy/log_repeat.h - the same message again and again is said a few times, and how often it came later. Pure.
 *
 * The same is: event and sentence alike. Of the first LOG_REPEATS within LOG_REPEAT_MS all are said; the rest
 * of that time is counted. Zero-initialised is empty. */
#ifndef PROXY_LOG_REPEAT_H
#define PROXY_LOG_REPEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "config/settings.h"
#include "proxy/limits.h"

enum { REPEAT_EVENT_MAX = 32, REPEAT_SENTENCE_MAX = 200 };

struct repeat {
    uint64_t hash; /* of event and sentence */
    uint64_t since_ms;
    unsigned said, held; /* said 0: the slot is empty */
    enum log_level level;
    char event[REPEAT_EVENT_MAX], sentence[REPEAT_SENTENCE_MAX]; /* may be cut */
};

struct repeats {
    struct repeat slots[LOG_REPEAT_SLOTS];
};

/* True: say it. If another had to make room and was held back, it is told: `ended->held` is not 0 then. */
bool repeats_note(struct repeats *repeats, enum log_level level, const char *event,
                  const char *sentence, uint64_t now_ms, struct repeat *ended);

/* The next that was held back and whose time is over (or any, with `all`); false: there is none. It is
 * forgotten. */
bool repeats_next(struct repeats *repeats, uint64_t now_ms, bool all, struct repeat *ended);

#endif
