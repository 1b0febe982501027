/* proxy/log.h - one event a line, in logfmt, to standard error.
 *
 * Lines gather in memory and leave when the loop turn ends, so that a busy turn costs one write. A
 * blocked reader never blocks us: what does not fit is dropped and counted, and the count is
 * logged. Values are quoted and escaped where they must be; a secret is a struct that no function
 * here takes. */
#ifndef PROXY_LOG_H
#define PROXY_LOG_H

#include "config/settings.h"
#include "config/text.h"

struct loop;
struct log;

/* Writes to `fd`, which stays the caller's. `loop` may be NULL: then every line is written at once.
 */
struct log *log_new(struct loop *loop, int fd, enum log_level level);
void log_free(struct log *log); /* writes what is left */

/* Others write to the same descriptor, from other threads: from now on each write() holds whole lines, and
 * so few that a pipe takes all of them or none (PIPE_BUF). */
void log_share(struct log *log);

bool log_wants(const struct log *log, enum log_level level);

/* A line is begun, gets its fields, and is ended. Between the two no other line may begin. */
void log_begin(struct log *log, enum log_level level, const char *event);
void log_text(struct log *log, const char *key, struct text value);
void log_number(struct log *log, const char *key, unsigned long long value);
void log_end(struct log *log);

/* A line with one sentence. */
void log_message(struct log *log, enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
