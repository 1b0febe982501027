#include "proxy/log.h"

#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/log_parts.h"

/* ---- leaving ---- */

void log_count_dropped(struct log *log, unsigned long long n)
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

void log_flush(struct log *log)
{
    struct log_sunk sunk = log_sink_write(log->sink, log->bytes, log->end);

    memmove(log->bytes, log->bytes + sunk.bytes, log->end - sunk.bytes);
    log->end -= sunk.bytes;
    log->at = log->end;
    log_count_dropped(log, sunk.lost);
    if (sunk.blocked)
        await_sink(log);
}

static bool has_room_for_two(const struct log *log)
{
    return sizeof(log->bytes) - log->end > 2 * LIMIT_LOG_LINE_BYTES;
}

/* As soon as there is room again. */
void log_tell_dropped(struct log *log)
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
    struct log *log = CONTAINER_OF(job, struct log, flush);

    log_flush(log);
    log_tell_dropped(log);
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
    tell_repeats(CONTAINER_OF(deadline, struct log, repeat_deadline), true);
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

struct log *log_beside(struct log *log, struct loop *loop)
{
    return log_open(loop, log_sink_beside(log->sink), log->level, log->format);
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
    log_flush(log);
    if (log->writable)
        event_free(log->writable);
    log_sink_free(log->sink);
    free(log);
}

void log_set_level(struct log *log, enum log_level level)
{
    log->level = level;
}

void log_reopen(struct log *log)
{
    struct diags diags = { 0 };

    log_flush(log); /* what was said before belongs into the old one */
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
