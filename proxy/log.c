#include "proxy/log.h"

#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#include "config/memory.h"
#include "proxy/limits.h"
#include "proxy/log_repeat.h"
#include "proxy/loop.h"

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

static const char *const level_names[] = { "error", "warning", "info", "debug" };

/* ---- leaving ---- */

static void count_dropped(struct log *log, unsigned long long n)
{
    log->dropped += n;
    log->n_dropped += n;
}

static void on_writable(evutil_socket_t fd, short what, void *arg);

/* The sink says when it goes on; nobody waits for it. */
static void await_sink(struct log *log)
{
    int fd = log_sink_descriptor(log->sink);

    if (!log->loop)
        return;
    if (log->writable && event_get_fd(log->writable) != fd) {
        event_free(log->writable);
        log->writable = NULL;
    }
    if (!log->writable)
        log->writable = event_new(loop_base(log->loop), fd, EV_WRITE, on_writable, log);
    if (!event_pending(log->writable, EV_WRITE, NULL))
        event_add(log->writable, NULL);
}

static void flush(struct log *log)
{
    struct log_sunk sunk = log_sink_write(log->sink, log->bytes, log->end);

    memmove(log->bytes, log->bytes + sunk.bytes, log->end - sunk.bytes);
    log->end -= sunk.bytes;
    log->at = log->end;
    count_dropped(log, sunk.lost);
    if (sunk.blocked)
        await_sink(log);
}

static bool has_room_for_two(const struct log *log)
{
    return sizeof(log->bytes) - log->end > 2 * LIMIT_LOG_LINE_BYTES;
}

/* As soon as there is room again. */
static void tell_dropped(struct log *log)
{
    unsigned long long dropped = log->dropped;

    if (!dropped || log->telling || !has_room_for_two(log))
        return;
    log->telling = true;
    log->dropped = 0;
    log_begin(log, LOG_WARNING, "log_lines_dropped");
    log_number(log, "count", dropped);
    log_end(log);
    log->telling = false;
}

static void on_flush(struct job *job)
{
    struct log *log = (struct log *)((char *)job - offsetof(struct log, flush));

    flush(log);
    tell_dropped(log);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    on_flush(&((struct log *)arg)->flush);
}

/* ---- repeats ---- */

static void tell_repeat(struct log *log, const struct repeat *ended)
{
    log_begin(log, ended->level, "repeated");
    log_text(log, "of", text_of(ended->event));
    log_number(log, "count", ended->held);
    log_text(log, "message", text_of(ended->sentence));
    log_end(log);
}

static void tell_repeats(struct log *log, bool all)
{
    struct repeat ended;

    while (repeats_next(&log->repeats, loop_now_ms(log->loop), all, &ended))
        tell_repeat(log, &ended);
}

static void on_repeats_over(struct deadline *deadline)
{
    tell_repeats((struct log *)(void *)((char *)deadline - offsetof(struct log, repeat_deadline)),
                 true);
}

/* What is held back is told when its time is over, even if nobody says anything then. */
static bool may_say(struct log *log, enum log_level level, const char *event, const char *sentence)
{
    struct repeat ended;
    bool may = repeats_note(&log->repeats, level, event, sentence, loop_now_ms(log->loop), &ended);

    if (ended.held)
        tell_repeat(log, &ended);
    if (!may && log->loop && !log->repeat_deadline.queue)
        deadline_set(log->repeat_deadlines, &log->repeat_deadline);
    return may;
}

/* ---- the log ---- */

struct log *log_open(struct loop *loop, struct log_sink *sink, enum log_level level,
                     enum log_format format)
{
    struct log *log = mem_alloc(1, sizeof(*log));

    log->loop = loop;
    log->sink = sink;
    log->level = level;
    log->format = format;
    log->flush.run = on_flush;
    log->repeat_deadline.passed = on_repeats_over;
    if (loop)
        log->repeat_deadlines = deadlines_new(loop, LOG_REPEAT_MS);
    return log;
}

struct log *log_new(struct loop *loop, int fd, enum log_level level)
{
    return log_open(loop, log_sink_to(fd, !loop), level, LOG_LOGFMT);
}

void log_free(struct log *log)
{
    if (!log)
        return;
    tell_repeats(log, true);
    if (log->loop) {
        loop_cancel(log->loop, &log->flush);
        deadline_clear(&log->repeat_deadline);
        deadlines_free(log->repeat_deadlines);
    }
    flush(log);
    if (log->writable)
        event_free(log->writable);
    log_sink_free(log->sink);
    free(log);
}

void log_reopen(struct log *log)
{
    struct diags diags = { 0 };

    flush(log); /* what was said before belongs into the old one */
    log_sink_reopen(log->sink, &diags);
    for (size_t i = 0; i < diags.n; i++)
        log_message(log, LOG_WARNING, "log_kept", "%s", diags.items[i].what);
    diags_fini(&diags);
}

unsigned long long log_n_dropped(const struct log *log)
{
    return log->n_dropped;
}

bool log_wants(const struct log *log, enum log_level level)
{
    return level <= log->level;
}

/* ---- lines ---- */

/* What a line may always still get: the quote that ends a value, the brace, and its end. */
enum { LINE_END_BYTES = 3 };

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
    bool json = log->format == LOG_JSON;

    if (sizeof(log->bytes) - log->end < LIMIT_LOG_LINE_BYTES)
        flush(log);
    log->at = log->end;
    /* Without room for any line there is none: log_end() counts it. */
    log->cut = sizeof(log->bytes) - log->end < LIMIT_LOG_LINE_BYTES;
    add(log, text_of(log_sink_prefix(log->sink, level)));
    add(log, json ? TEXT("{\"time\":\"") : TEXT("time="));
    add_time(log);
    add(log, json ? TEXT("\",\"level\":\"") : TEXT(" level="));
    add(log, text_of(level_names[level]));
    add(log, json ? TEXT("\",\"event\":\"") : TEXT(" event="));
    add(log, text_of(event));
    if (json)
        add(log, TEXT("\""));
}

/* ---- values ---- */

#define IN_EACH(byte) (0x0101010101010101U * (byte))

/* The high bit of each byte that is 0; beside one that is, others may be marked too. */
static uint64_t zeros(uint64_t word)
{
    return (word - IN_EACH(1)) & ~word & IN_EACH(0x80);
}

/* Eight bytes at once, of the same kind as is_plain_byte(). */
static bool is_plain_word(const char *at)
{
    uint64_t word, odd;

    memcpy(&word, at, sizeof(word));
    odd = (word & IN_EACH(0x80)) | ((word - IN_EACH(0x21)) & ~word & IN_EACH(0x80)) |
          zeros(word ^ IN_EACH(0x7f)) | zeros(word ^ IN_EACH('"')) | zeros(word ^ IN_EACH('=')) |
          zeros(word ^ IN_EACH('\\'));
    return odd == 0;
}

static bool is_plain_byte(char c)
{
    return c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\';
}

/* What needs no quotes in logfmt. The last word may look at bytes that were looked at before. */
static bool is_plain(struct text value)
{
    size_t at = 0;

    for (; at + sizeof(uint64_t) <= value.len; at += sizeof(uint64_t)) {
        if (!is_plain_word(value.at + at))
            return false;
    }
    if (at && at < value.len)
        return is_plain_word(value.at + value.len - sizeof(uint64_t));
    for (; at < value.len; at++) {
        if (!is_plain_byte(value.at[at]))
            return false;
    }
    return value.len > 0;
}

/* With room for `value_len` bytes behind it, or not at all: no key stands without a value. */
static bool add_key(struct log *log, const char *key, size_t value_len)
{
    bool json = log->format == LOG_JSON;
    size_t len = strlen(key), around = json ? 4 : 2;

    if (len + around + value_len > line_room(log)) {
        log->cut = true;
        return false;
    }
    char *at = log->bytes + log->at;
    *at++ = json ? ',' : ' ';
    if (json)
        *at++ = '"';
    memcpy(at, key, len);
    at += len;
    if (json)
        *at++ = '"';
    *at = json ? ':' : '=';
    log->at += len + around;
    return true;
}

static size_t plain_run(struct text value)
{
    size_t n = 0;

    while (n < value.len && (unsigned char)value.at[n] >= 0x20 &&
           (unsigned char)value.at[n] < 0x7f && value.at[n] != '"' && value.at[n] != '\\')
        n++;
    return n;
}

/* A byte is a byte: \xNN, and in JSON \u00NN. */
static void add_escape(struct log *log, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    bool json = log->format == LOG_JSON;
    char escaped[] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

    if (c == '"' || c == '\\') {
        escaped[1] = (char)c;
        add(log, (struct text){ escaped, 2 });
        return;
    }
    if (!json) {
        escaped[2] = '\\';
        escaped[3] = 'x';
    }
    add(log, json ? (struct text){ escaped, 6 } : (struct text){ escaped + 2, 4 });
}

static void add_escaped(struct log *log, struct text value)
{
    while (value.len && !log->cut) {
        size_t run = plain_run(value), room = line_room(log);
        add(log, (struct text){ value.at, run < room ? run : room });
        log->cut = log->cut || run > room;
        if (run < value.len && !log->cut)
            add_escape(log, (unsigned char)value.at[run++]);
        value = (struct text){ value.at + run, value.len - run };
    }
}

void log_text(struct log *log, const char *key, struct text value)
{
    bool plain = log->format == LOG_LOGFMT && is_plain(value) &&
                 value.len + strlen(key) + 2 <= line_room(log);

    if (!add_key(log, key, plain ? value.len : 1))
        return;
    if (plain) {
        memcpy(log->bytes + log->at, value.at, value.len);
        log->at += value.len;
        return;
    }
    log->bytes[log->at++] = '"';
    if (value.len)
        add_escaped(log, value);
    log->bytes[log->at++] = '"'; /* there is always room for it */
}

void log_number(struct log *log, const char *key, unsigned long long value)
{
    if (add_key(log, key, UINT_TEXT_MAX))
        log->at += text_put_uint(log->bytes + log->at, value);
}

void log_end(struct log *log)
{
    if (log->at == log->end) {
        count_dropped(log, 1);
        return;
    }
    if (log->format == LOG_JSON)
        log->bytes[log->at++] = '}';
    log->bytes[log->at++] = '\n';
    log->end = log->at;
    if (!log->loop)
        flush(log);
    else if (!log->flush.posted)
        loop_defer(log->loop, &log->flush);
    tell_dropped(log);
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
    if (!may_say(log, level, event, sentence))
        return;
    log_begin(log, level, event);
    log_text(log, "message", text_of(sentence));
    log_end(log);
}
