/* proxy/access_log_parts.h - what the two readers of a line share; nobody else includes it.
 *
 *   access_log.c        lines, logfmt, and what the values say
 *   access_log_json.c   an object a line */
#ifndef PROXY_ACCESS_LOG_PARTS_H
#define PROXY_ACCESS_LOG_PARTS_H

#include <stdbool.h>

#include "config/text.h"

/* The values that are read. at == NULL: not there. */
enum key {
    KEY_TIME,
    KEY_LEVEL,
    KEY_EVENT,
    KEY_METHOD,
    KEY_METHOD_CUT,
    KEY_SCHEME,
    KEY_DESTINATION,
    KEY_PATH,
    KEY_PATH_CUT,
    KEY_PATH_MASKED,
    KEY_AN,
    KEY_VERDICT,
    KEY_STATUS,
    KEY_OUTCOME,
    N_KEYS
};

struct fields {
    struct text value[N_KEYS];
    bool cut; /* the line ends before its end */
};

/* A key that stands there twice is one that we did not write. */
bool access_keep_field(struct fields *fields, struct text key, struct text value);
/* The key that must stand there as the first, the second, the third; and what the third must say. */
bool access_is_key(struct text key, enum key which);
bool access_is_exchange(const struct fields *fields);

/* `*at` stands on the brace. "time", "level" and "event" come first, and the event is ours. Values are unescaped
 * in place. */
bool access_json_beginning(char **at, const char *end, struct fields *fields);
/* The rest: false if it is not as we write it. */
bool access_json_rest(char **at, const char *end, struct fields *fields);

#endif
