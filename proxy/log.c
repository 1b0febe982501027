#include "proxy/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/limits.h"
#include "proxy/loop.h"

struct log {
    struct loop *loop;
    struct job flush;
    int fd;
    int own_fd; /* -1: fd is the caller's */
    enum log_level level;
    bool shared; /* with other threads */
    unsigned long long dropped;
    size_t end; /* of whole lines */
    size_t at;  /* of the line being written; == end between lines */
    bool cut;   /* nothing more is added to the line in progress */
    time_t stamp_second;
    char stamp[24]; /* "2026-01-31T12:00:00" of that second */
    char bytes[LOG_BUFFER_BYTES];
};

static const char *const level_names[] = { "error", "warning", "info", "debug" };

/* A pipe or a terminal gets a description of our own, so that O_NONBLOCK does not reach the others
 * that share it. What cannot be opened again (a socket) is asked before each piece. */
static void make_nonblocking(struct log *log)
{
    char path[40];
    struct stat status;

    /* A file keeps its offset: whoever else writes to it must not overwrite us. It never blocks. */
    if (fstat(log->fd, &status) == 0 && S_ISREG(status.st_mode))
        return;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", log->fd);
    log->own_fd = open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (log->own_fd >= 0)
        log->fd = log->own_fd;
}

static bool would_block(const struct log *log)
{
    struct pollfd ready = { .fd = log->fd, .events = POLLOUT };

    return log->loop && log->own_fd < 0 && poll(&ready, 1, 0) <= 0;
}

_Static_assert((int)LIMIT_LOG_LINE_BYTES <= PIPE_BUF, "a line that a pipe would take in pieces");

/* As many whole lines as a pipe takes at once; a line is no longer than that. */
static size_t whole_lines(const char *bytes, size_t len)
{
    const char *end = len > PIPE_BUF ? memrchr(bytes, '\n', PIPE_BUF) : NULL;

    return end ? (size_t)(end - bytes) + 1 : len;
}

static void flush(struct log *log)
{
    size_t sent = 0;

    while (sent < log->end && !would_block(log)) {
        size_t piece = log->end - sent;
        if (log->shared)
            piece = whole_lines(log->bytes + sent, piece);
        else if (log->own_fd < 0 && piece > PIPE_BUF)
            piece = PIPE_BUF; /* what poll() promises */
        ssize_t n = write(log->fd, log->bytes + sent, piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    memmove(log->bytes, log->bytes + sent, log->end - sent);
    log->end -= sent;
    log->at = log->end;
}

static void on_flush(struct job *job)
{
    struct log *log = (struct log *)((char *)job - offsetof(struct log, flush));

    flush(log);
}

struct log *log_new(struct loop *loop, int fd, enum log_level level)
{
    struct log *log = mem_alloc(1, sizeof(*log));

    log->loop = loop;
    log->fd = fd;
    log->level = level;
    log->own_fd = -1;
    log->flush.run = on_flush;
    if (loop)
        make_nonblocking(log);
    return log;
}

void log_free(struct log *log)
{
    if (!log)
        return;
    if (log->loop)
        loop_cancel(log->loop, &log->flush);
    flush(log);
    if (log->own_fd >= 0)
        close(log->own_fd);
    free(log);
}

void log_share(struct log *log)
{
    log->shared = true;
}

bool log_wants(const struct log *log, enum log_level level)
{
    return level <= log->level;
}

/* What a line may always still get: the quote that ends a value, and its end. */
enum { LINE_END_BYTES = 2 };

static size_t line_room(const struct log *log)
{
    size_t used = log->at - log->end, max = LIMIT_LOG_LINE_BYTES - LINE_END_BYTES;

    return log->cut || used > max ? 0 : max - used;
}

/* Whole or not at all, and nothing behind what did not fit. */
static void add(struct log *log, struct text bytes)
{
    if (bytes.len > line_room(log)) {
        log->cut = true;
        return;
    }
    memcpy(log->bytes + log->at, bytes.at, bytes.len);
    log->at += bytes.len;
}

static void add_time(struct log *log)
{
    struct timeval now;
    struct tm parts;

    gettimeofday(&now, NULL);
    if (now.tv_sec != log->stamp_second) {
        log->stamp_second = now.tv_sec;
        gmtime_r(&now.tv_sec, &parts);
        strftime(log->stamp, sizeof(log->stamp), "%Y-%m-%dT%H:%M:%S", &parts);
    }
    unsigned ms = (unsigned)(now.tv_usec / 1000) % 1000;
    char fraction[5] = { '.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10),
                         (char)('0' + ms % 10), 'Z' };
    add(log, (struct text){ log->stamp, sizeof("2026-01-31T12:00:00") - 1 });
    add(log, (struct text){ fraction, sizeof(fraction) });
}

void log_begin(struct log *log, enum log_level level, const char *event)
{
    if (sizeof(log->bytes) - log->end < LIMIT_LOG_LINE_BYTES)
        flush(log);
    log->at = log->end;
    /* Without room for any line there is none: log_end() counts it. */
    log->cut = sizeof(log->bytes) - log->end < LIMIT_LOG_LINE_BYTES;
    add(log, TEXT("time="));
    add_time(log);
    add(log, TEXT(" level="));
    add(log, text_of(level_names[level]));
    add(log, TEXT(" event="));
    add(log, text_of(event));
}

/* What needs no quotes: '!' to '~' but for '"', '=' and the backslash; a bit for each byte. */
static bool is_plain(struct text value)
{
    static const uint64_t bits[4] = { 0xdffffffa00000000, 0x7fffffffefffffff };

    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.at[i];
        if (!(bits[c >> 6] >> (c & 63) & 1))
            return false;
    }
    return value.len > 0;
}

static void add_key(struct log *log, const char *key)
{
    size_t len = strlen(key);

    if (len + 2 > line_room(log)) {
        log->cut = true;
        return;
    }
    char *at = log->bytes + log->at;
    at[0] = ' ';
    memcpy(at + 1, key, len);
    at[len + 1] = '=';
    log->at += len + 2;
}

static void add_escaped(struct log *log, struct text value)
{
    char escaped[8];

    for (size_t i = 0; i < value.len && !log->cut; i++) {
        unsigned char c = (unsigned char)value.at[i];
        if (c == '"' || c == '\\')
            snprintf(escaped, sizeof(escaped), "\\%c", c);
        else if (c < 0x20 || c >= 0x7f)
            snprintf(escaped, sizeof(escaped), "\\x%02x", c);
        else
            snprintf(escaped, sizeof(escaped), "%c", c);
        add(log, text_of(escaped));
    }
}

void log_text(struct log *log, const char *key, struct text value)
{
    add_key(log, key);
    if (is_plain(value) && value.len <= line_room(log)) {
        add(log, value);
        return;
    }
    add(log, TEXT("\""));
    if (log->cut)
        return;
    add_escaped(log, value);
    log->bytes[log->at++] = '"'; /* there is always room for it */
}

void log_number(struct log *log, const char *key, unsigned long long value)
{
    char digits[UINT_TEXT_MAX];

    add_key(log, key);
    add(log, (struct text){ digits, text_put_uint(digits, value) });
}

void log_end(struct log *log)
{
    if (log->at == log->end) {
        log->dropped++;
        log->at = log->end;
        return;
    }
    log->bytes[log->at++] = '\n';
    log->end = log->at;
    if (!log->loop)
        flush(log);
    else if (!log->flush.posted)
        loop_defer(log->loop, &log->flush);
    if (log->dropped && sizeof(log->bytes) - log->end > 2 * LIMIT_LOG_LINE_BYTES) {
        unsigned long long dropped = log->dropped;
        log->dropped = 0;
        log_begin(log, LOG_WARNING, "log_lines_dropped");
        log_number(log, "count", dropped);
        log_end(log);
    }
}

void log_message(struct log *log, enum log_level level, const char *event, const char *format, ...)
{
    char sentence[1024];
    va_list arguments;

    if (!log_wants(log, level))
        return;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    log_begin(log, level, event);
    log_text(log, "message", text_of(sentence));
    log_end(log);
}
