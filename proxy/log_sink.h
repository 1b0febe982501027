/* proxy/log_sink.h - where the lines of the log go: a descriptor, a file of ours, the system's syslog.
 *
 * Nothing here ever waits. What is not taken now is the caller's to keep. */
#ifndef PROXY_LOG_SINK_H
#define PROXY_LOG_SINK_H

#include <stdbool.h>
#include <stddef.h>

#include "config/diag.h"
#include "config/log_target.h"
#include "config/settings.h"

struct log_sink;

/* To a descriptor that stays the caller's, and stays as it is. `waits`: writing may block. */
struct log_sink *log_sink_to(int fd, bool waits);
/* NULL with a fatal finding if it cannot be opened. A file is created with mode 0640, appended to, and must be
 * a regular one, no link; standard error is written to as by log_sink_to(). */
struct log_sink *log_sink_open(const struct log_target *target, struct diags *diags);
/* Another way to the same place, for another loop: from now on what is written to either is whole lines, and so
 * few at once that a pipe takes all of them or none (PIPE_BUF). */
struct log_sink *log_sink_beside(struct log_sink *sink);
void log_sink_free(struct log_sink *sink);

/* Opens a file of that name anew, because the old one was moved away. False with a finding: the old one is kept.
 * For anything but a file nothing is done. */
bool log_sink_reopen(struct log_sink *sink, struct diags *diags);

/* What a line begins with, before all of ours: for syslog a priority and a name; else nothing. */
const char *log_sink_prefix(const struct log_sink *sink, enum log_level level);

struct log_sunk {
    size_t bytes; /* done with: from the first byte on */
    size_t lost;  /* lines among them that nobody takes, because they are too long for it */
    bool blocked; /* it will take more later: log_sink_descriptor() becomes writable then */
};
/* `bytes` are whole lines, but for the first if a part of it was taken before. */
struct log_sunk log_sink_write(struct log_sink *sink, const char *bytes, size_t len);
int log_sink_descriptor(const struct log_sink *sink);

#endif
