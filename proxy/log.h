/* proxy/log.h - one event a line, in logfmt or as a JSON object.
 *
 * Lines gather in memory and leave when the loop turn ends, so that a busy turn costs one write. A
 * blocked reader never blocks us: what does not fit is dropped and counted, and the count is
 * logged when there is room again. Values are quoted and escaped where they must be, so that no value
 * looks like another field or another line; a secret is a struct that no function here takes. */
#ifndef PROXY_LOG_H
#define PROXY_LOG_H

#include "config/settings.h"
#include "config/text.h"
#include "proxy/log_sink.h"

struct loop;
struct log;

/* Takes `sink`. `loop` may be NULL: then every line is written at once. */
struct log *log_open(struct loop *loop, struct log_sink *sink, enum log_level level,
                     enum log_format format);
/* In logfmt to `fd`, which stays the caller's. */
struct log *log_new(struct loop *loop, int fd, enum log_level level);
void log_set_level(struct log *log, enum log_level level);
/* For another loop, to the same place, in the same form; lines of the two do not mix. Called before either is
 * used by a thread of its own. */
struct log *log_beside(struct log *log, struct loop *loop);
void log_free(struct log *log); /* writes what is left, as far as it is taken at once */
/* A file is opened anew; where that fails, the old one is kept, and it says so. */
void log_reopen(struct log *log);

/* Lines that there was no room for, ever. */
unsigned long long log_n_dropped(const struct log *log);

/* Others write to the same descriptor, from other threads: from now on each write() holds whole lines, and
 * so few that a pipe takes all of them or none (PIPE_BUF). */
void log_share(struct log *log);

bool log_wants(const struct log *log, enum log_level level);

/* A line is begun, gets its fields, and is ended. Between the two no other line may begin. */
void log_begin(struct log *log, enum log_level level, const char *event);
void log_text(struct log *log, const char *key, struct text value);
void log_number(struct log *log, const char *key, unsigned long long value);
void log_end(struct log *log);

/* A line with one sentence. The same again and again is said LOG_REPEATS times, and how often it came in the rest
 * of LOG_REPEAT_MS later. */
void log_message(struct log *log, enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
