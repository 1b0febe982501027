/* config/log_target.h - where the log goes: stderr, syslog:[SOCKET], file:PATH. Pure parsing: nothing is opened. */
#ifndef CONFIG_LOG_TARGET_H
#define CONFIG_LOG_TARGET_H

#include <limits.h>
#include <stdbool.h>

#include "config/text.h"

enum log_target_kind { LOG_TO_STDERR, LOG_TO_SYSLOG, LOG_TO_FILE };

struct log_target {
    enum log_target_kind kind;
    char path[PATH_MAX]; /* of the file, or of the daemon's socket */
};

/* False, with a sentence fragment in `why` (static storage), when the text is not of that form. */
bool log_target_parse(struct text text, struct log_target *out, const char **why);

#endif
