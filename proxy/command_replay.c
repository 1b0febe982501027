/* check --replay: what a manifest says of the requests in our own log.
 *
 * A log repeats itself, so each request (method and URL) is judged and told once, with how often it
 * occurs and what was said of it then; what changed comes first. A search tree keeps them and no hash
 * table: clients chose these keys. */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/access_log.h"
#include "proxy/command_check.h"
#include "proxy/command_junit.h"
#include "proxy/command_parts.h"
#include "proxy/limits.h"

/* In the order in which they are told. */
enum group { NEWLY_CLOSED, CLOSED, NEWLY_OPEN, OPEN };

struct request {
    struct text method, url;
    char *bytes; /* of both */
    enum verdict_kind kind;
    size_t number; /* in order of appearance */
    unsigned long seen[N_VERDICTS];
};

struct replay {
    struct check *check;
    const char *name;
    void *tree;
    struct request **requests;
    size_t n, bytes;
    bool full; /* and it has been said */

    /* lines */
    unsigned long now[N_VERDICTS], closed, opened;
    unsigned long cut, broken, unjudged, other;
};

/* ---- keeping ---- */

static int compare_texts(struct text a, struct text b)
{
    int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_requests(const void *left, const void *right)
{
    const struct request *a = left, *b = right;
    int order = compare_texts(a->url, b->url);

    return order ? order : compare_texts(a->method, b->method);
}

static bool has_room(const struct replay *replay, const struct request *request)
{
    return replay->n < LIMIT_REPLAY_REQUESTS &&
           replay->bytes + request->method.len + request->url.len <= LIMIT_REPLAY_BYTES;
}

static struct request *keep(struct replay *replay, const struct request *seen)
{
    struct request *request = mem_alloc(1, sizeof(*request));
    struct text method = seen->method, url = seen->url;
    char *bytes = mem_alloc(method.len + url.len, 1);

    memcpy(bytes, method.at, method.len);
    memcpy(bytes + method.len, url.at, url.len);
    *request = *seen;
    request->bytes = bytes;
    request->method.at = bytes;
    request->url.at = bytes + method.len;
    request->number = replay->n;
    replay->requests = mem_grow(replay->requests, replay->n, sizeof(void *));
    replay->requests[replay->n++] = request;
    replay->bytes += method.len + url.len;
    if (!tsearch(request, &replay->tree, compare_requests))
        abort(); /* memory is gone */
    return request;
}

static void nothing(void *request)
{
    (void)request; /* it is freed with the list */
}

static void replay_fini(struct replay *replay)
{
    tdestroy(replay->tree, nothing);
    for (size_t i = 0; i < replay->n; i++) {
        free(replay->requests[i]->bytes);
        free(replay->requests[i]);
    }
    free(replay->requests);
}

/* ---- reading ---- */

static enum verdict_kind kind_of(struct text verdict)
{
    if (text_eq(verdict, TEXT("allow")))
        return VERDICT_ALLOW;
    return text_eq(verdict, TEXT("refuse")) ? VERDICT_REFUSE : VERDICT_DENY;
}

static void count(struct replay *replay, enum verdict_kind was, enum verdict_kind now)
{
    replay->now[now]++;
    replay->closed += was == VERDICT_ALLOW && now != VERDICT_ALLOW;
    replay->opened += was != VERDICT_ALLOW && now == VERDICT_ALLOW;
}

/* Told at once, each time, because it cannot be kept. */
static void say_unkept(struct replay *replay, struct judgement *judgement, enum verdict_kind was,
                       unsigned long line)
{
    if (!replay->full)
        fprintf(stderr,
                "%s:%lu: warning: more different requests than are kept (%d, or %d MiB of them); "
                "from here on, one that was not seen before is told each time it occurs\n",
                replay->name, line, LIMIT_REPLAY_REQUESTS, LIMIT_REPLAY_BYTES / 1024 / 1024);
    replay->full = true;
    judgement->seen[was] = 1;
    check_say(replay->check, judgement);
}

static void replay_one(struct replay *replay, const struct access_record *record)
{
    enum verdict_kind was = kind_of(record->verdict);
    struct request key = { .method = record->method, .url = record->url };
    struct request *const *found = tfind(&key, &replay->tree, compare_requests);
    struct request *request = found ? *found : NULL;
    struct judgement judgement;

    if (!request) {
        check_judge(replay->check, record->method, record->url, &judgement);
        key.kind = judgement.kind;
        if (has_room(replay, &key))
            request = keep(replay, &key);
        else
            say_unkept(replay, &judgement, was, record->line);
    }
    if (request)
        request->seen[was]++;
    count(replay, was, request ? request->kind : key.kind);
}

static void read_lines(struct replay *replay, FILE *input)
{
    struct access_log *log = access_log_new(input);
    struct access_record record;
    enum access_line kind;

    while ((kind = access_log_next(log, &record)) != ACCESS_LINE_END) {
        if (kind == ACCESS_LINE_EXCHANGE)
            replay_one(replay, &record);
        replay->unjudged += kind == ACCESS_LINE_UNJUDGED;
        replay->cut += kind == ACCESS_LINE_INCOMPLETE;
        replay->broken += kind == ACCESS_LINE_BROKEN;
        replay->other += kind == ACCESS_LINE_OTHER;
    }
    access_log_free(log);
}

/* ---- telling ---- */

static enum group group_of(const struct request *request)
{
    if (request->kind != VERDICT_ALLOW)
        return request->seen[VERDICT_ALLOW] ? NEWLY_CLOSED : CLOSED;
    return request->seen[VERDICT_DENY] || request->seen[VERDICT_REFUSE] ? NEWLY_OPEN : OPEN;
}

static int compare_for_telling(const void *left, const void *right)
{
    const struct request *a = *(struct request *const *)left, *b = *(struct request *const *)right;
    int order = (int)group_of(a) - (int)group_of(b);

    return order ? order : (a->number > b->number) - (a->number < b->number);
}

static void say_all(struct replay *replay)
{
    struct judgement judgement;

    if (replay->n)
        qsort(replay->requests, replay->n, sizeof(void *), compare_for_telling);
    for (size_t i = 0; i < replay->n; i++) {
        const struct request *request = replay->requests[i];

        check_judge(replay->check, request->method, request->url, &judgement);
        memcpy(judgement.seen, request->seen, sizeof(judgement.seen));
        check_say(replay->check, &judgement);
    }
}

/* A report without them would look as if all had been judged. */
static void report_unread(const struct replay *replay)
{
    char name[128];

    if (!replay->check->junit || replay->cut + replay->broken == 0)
        return;
    snprintf(name, sizeof(name), "%lu lines of the log that could not be judged",
             replay->cut + replay->broken);
    junit_case(replay->check->junit, JUNIT_SKIPPED, replay->check->manifest_file, text_of(name),
               NULL, "a method or path was cut, or the line is broken");
}

static void print_summary(const struct replay *replay)
{
    const unsigned long *now = replay->now;

    fprintf(
        stderr,
        "replayed %lu requests: %lu allow, %lu deny, %lu refuse; %lu changed (was allowed, now "
        "not %lu; was not allowed, now allowed %lu); %lu lines not judged (cut %lu, broken %lu, "
        "ended before a verdict %lu); %lu other lines\n",
        now[VERDICT_ALLOW] + now[VERDICT_DENY] + now[VERDICT_REFUSE], now[VERDICT_ALLOW],
        now[VERDICT_DENY], now[VERDICT_REFUSE], replay->closed + replay->opened, replay->closed,
        replay->opened, replay->cut + replay->broken + replay->unjudged, replay->cut,
        replay->broken, replay->unjudged, replay->other);
}

bool check_replay(struct check *check, FILE *input, const char *name)
{
    struct replay replay = { .check = check, .name = name };

    read_lines(&replay, input);
    say_all(&replay);
    report_unread(&replay);
    fflush(stdout);
    print_summary(&replay);
    replay_fini(&replay);
    if (!ferror(input))
        return true;
    fprintf(stderr, "%s: error: cannot be read to its end\n", name);
    return false;
}
