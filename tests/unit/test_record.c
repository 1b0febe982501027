/* What is known of a name: for how long, and what the next answer changes. */
#include "tests/unit/stories.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/origin/record.h"

enum { NOW_MS = 1000000 };

/* Addresses are letters. */
static struct dns_answer answer_of(enum dns_outcome outcome, const char *letters, uint32_t ttl_s)
{
    struct dns_answer answer = { .outcome = outcome, .ttl_s = ttl_s };

    for (; *letters; letters++)
        answer.items[answer.n++].bytes[0] = (uint8_t)*letters;
    return answer;
}

static bool take(struct record *record, enum dns_outcome outcome, const char *letters,
                 uint32_t ttl_s, uint64_t now_ms)
{
    struct dns_answer answer = answer_of(outcome, letters, ttl_s);

    record->asking = true;
    bool moved = record_take(record, &answer, now_ms);
    assert_false(record->asking);
    assert_true(record->ask_ms <= record->until_ms);
    return moved;
}

static struct lifetime {
    const char *name;
    enum dns_outcome outcome;
    uint32_t ttl_s;
    uint64_t life_ms, ask_ms;
} lifetimes[] = {
    { "addresses", DNS_FOUND, 60, 60000, 54000 },
    { "addresses without a TTL", DNS_FOUND, 0, 0, 0 },
    { "addresses for a year", DNS_FOUND, 31536000, 3600000, 3240000 },
    { "no name", DNS_NO_NAME, 60, 60000, 54000 },
    { "no name, no TTL", DNS_NO_NAME, 0, 1000, 900 },
    { "no address", DNS_NO_ADDRESS, 60, 60000, 54000 },
    { "no address for a day", DNS_NO_ADDRESS, 86400, 300000, 270000 },
    { "a failure", DNS_FAILED, 0, 30000, 27000 },
    { "silence", DNS_SILENT, 0, 30000, 27000 },
};

static void lives(void **state)
{
    const struct lifetime *row = *state;
    struct record record = { 0 };

    assert_false(record_is_fresh(&record, 0));
    assert_false(
        take(&record, row->outcome, row->outcome == DNS_FOUND ? "a" : "", row->ttl_s, NOW_MS));
    assert_int_equal(record.until_ms, NOW_MS + row->life_ms);
    assert_int_equal(record.ask_ms, NOW_MS + row->ask_ms);
    assert_int_equal(record_is_fresh(&record, NOW_MS), row->life_ms > 0);
    assert_false(record_is_fresh(&record, record.until_ms));
    record_shorten(&record, NOW_MS + 500);
    assert_true(record.until_ms <= NOW_MS + 500 && record.ask_ms <= record.until_ms);
    record_fini(&record);
}

/* An answer of 60 s, and another so much later. */
static struct change {
    const char *name, *before;
    uint64_t after_ms;
    enum dns_outcome outcome;
    const char *then;
    bool moved;
    const char *has; /* afterwards */
    enum dns_outcome is;
} changes[] = {
    { "the same", "ab", 1000, DNS_FOUND, "ab", false, "ab", DNS_FOUND },
    { "another order", "ab", 1000, DNS_FOUND, "ba", false, "ab", DNS_FOUND },
    { "one more", "a", 1000, DNS_FOUND, "ab", true, "ab", DNS_FOUND },
    { "one less", "ab", 1000, DNS_FOUND, "b", true, "b", DNS_FOUND },
    { "one twice instead of another", "ab", 1000, DNS_FOUND, "aa", true, "a", DNS_FOUND },
    { "one that stood twice", "aa", 1000, DNS_FOUND, "a", false, "a", DNS_FOUND },
    { "another", "a", 1000, DNS_FOUND, "b", true, "b", DNS_FOUND },
    { "another, late", "a", 100000, DNS_FOUND, "b", true, "b", DNS_FOUND },
    { "the name is gone", "a", 1000, DNS_NO_NAME, "", true, "", DNS_NO_NAME },
    { "the address is gone", "a", 1000, DNS_NO_ADDRESS, "", true, "", DNS_NO_ADDRESS },
    { "a failure while it holds", "a", 1000, DNS_FAILED, "", false, "a", DNS_FOUND },
    { "silence just before its end", "a", 59900, DNS_SILENT, "", false, "a", DNS_FOUND },
    { "a failure behind its end", "a", 60000, DNS_FAILED, "", false, "a", DNS_FAILED },
};

static void changes_it(void **state)
{
    const struct change *row = *state;
    struct record record = { 0 };

    take(&record, DNS_FOUND, row->before, 60, NOW_MS);
    assert_int_equal(take(&record, row->outcome, row->then, 60, NOW_MS + row->after_ms),
                     row->moved);
    assert_int_equal(record.outcome, row->is);
    for (char letter = 'a'; letter < 'e'; letter++) {
        struct ip ip = { { (uint8_t)letter } };
        assert_int_equal(record_has(&record, &ip), strchr(row->has, letter) != NULL);
    }
    record_fini(&record);
}

/* What was known before the failures still says whether a name moved. */
static void moved_behind_a_failure(void **state)
{
    struct record record = { 0 };

    (void)state;
    take(&record, DNS_FOUND, "a", 1, NOW_MS);
    assert_false(take(&record, DNS_FAILED, "", 0, NOW_MS + 2000));
    assert_false(take(&record, DNS_SILENT, "", 0, NOW_MS + 40000));
    assert_true(take(&record, DNS_FOUND, "b", 1, NOW_MS + 80000));
    record_fini(&record);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, lifetimes, lives);
    STORIES_ADD(&stories, changes, changes_it);
    stories_add(&stories, "another behind failures", moved_behind_a_failure, NULL);
    return stories_run("record", &stories);
}
