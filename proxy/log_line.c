/* A line, field by field, in logfmt or as a JSON object. Whatever does not fit is left out with all that would
 * follow, and what stands there is well-formed at any moment. */
#include <sys/time.h>

#include "proxy/log_parts.h"

static const char *const level_names[] = { "error", "warning", "info", "debug" };

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
        log_flush(log);
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
        log_count_dropped(log, 1);
        return;
    }
    if (log->format == LOG_JSON)
        log->bytes[log->at++] = '}';
    log->bytes[log->at++] = '\n';
    log->end = log->at;
    if (!log->loop)
        log_flush(log);
    else if (!log->flush.posted)
        loop_defer(log->loop, &log->flush);
    log_tell_dropped(log);
}
