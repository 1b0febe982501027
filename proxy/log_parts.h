/* proxy/log_parts.h - what the two files of the log share; nobody else includes it.
 *
 *   log.c        lines leave, wait, are dropped, repeat
 *   log_line.c   how a line is written */
#ifndef PROXY_LOG_PARTS_H
#define PROXY_LOG_PARTS_H

#include <time.h>

#include "proxy/limits.h"
#include "proxy/log.h"
#include "proxy/log_repeat.h"
#include "proxy/loop.h"

struct event;

struct log {
    struct loop *loop; /* NULL: every line is written at once */
    struct job flush;
    struct log_sink *sink;
    struct event *writable; /* while the sink is blocked; NULL: never was */
    enum log_level level;
    enum log_format format;
    unsigned long long dropped; /* and not told yet */
    unsigned long long n_dropped;
    size_t end; /* of whole lines */
    size_t at;  /* of the line being written; == end between lines */
    bool cut;   /* nothing more is added to the line in progress */
    bool telling;
    struct deadlines *repeat_deadlines;
    struct deadline repeat_deadline; /* while something is held back */
    struct repeats repeats;
    time_t stamp_second;
    char stamp[24]; /* "2026-01-31T12:00:00" of that second */
    char bytes[LOG_BUFFER_BYTES];
};

/* log.c */
void log_flush(struct log *log); /* as far as it goes now */
void log_count_dropped(struct log *log, unsigned long long n);
void log_tell_dropped(struct log *log); /* if there is room for a line */

#endif
