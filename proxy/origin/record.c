#include "proxy/origin/record.h"

#include <stdlib.h>

#include "config/memory.h"

enum { SECOND_MS = 1000 };

void record_fini(struct record *record)
{
    free(record->items);
}

bool record_is_fresh(const struct record *record, uint64_t now_ms)
{
    return now_ms < record->until_ms;
}

static bool stands_in(const struct ip *items, size_t n, const struct ip *ip)
{
    for (size_t i = 0; i < n; i++) {
        if (ip_eq(&items[i], ip))
            return true;
    }
    return false;
}

bool record_has(const struct record *record, const struct ip *ip)
{
    return stands_in(record->items, record->n, ip);
}

static bool all_stand_in(const struct ip *items, size_t n, const struct ip *in, size_t n_in)
{
    for (size_t i = 0; i < n; i++) {
        if (!stands_in(in, n_in, &items[i]))
            return false;
    }
    return true;
}

static bool is_same_set(const struct record *record, const struct dns_answer *answer)
{
    return all_stand_in(record->items, record->n, answer->items, answer->n) &&
           all_stand_in(answer->items, answer->n, record->items, record->n);
}

static uint64_t lifetime_ms(const struct dns_answer *answer)
{
    uint32_t most = answer->outcome == DNS_FOUND ? DNS_TTL_MAX_S : DNS_NO_FAMILY_MAX_S;

    if (answer->outcome >= DNS_FAILED)
        return (uint64_t)DNS_FAMILY_FAILED_S * SECOND_MS;
    if (answer->outcome != DNS_FOUND && answer->ttl_s < DNS_FAILED_S)
        return (uint64_t)DNS_FAILED_S * SECOND_MS;
    return (uint64_t)(answer->ttl_s < most ? answer->ttl_s : most) * SECOND_MS;
}

static void keep_items(struct record *record, const struct dns_answer *answer)
{
    free(record->items);
    record->items = answer->n ? mem_alloc(answer->n, sizeof(*record->items)) : NULL;
    if (answer->n)
        memcpy(record->items, answer->items, answer->n * sizeof(*record->items));
    record->n = answer->n;
    record->cut = answer->cut;
    record->answered = true;
}

static void replace(struct record *record, const struct dns_answer *answer, uint64_t now_ms)
{
    uint64_t life = lifetime_ms(answer);

    if (answer->outcome < DNS_FAILED)
        keep_items(record, answer);
    record->why = answer->why;
    record->outcome = answer->outcome;
    record->until_ms = now_ms + life;
    record->ask_ms = now_ms + life - life / 10;
}

bool record_take(struct record *record, const struct dns_answer *answer, uint64_t now_ms)
{
    bool failed = answer->outcome >= DNS_FAILED;
    bool moved = !failed && record->answered && !is_same_set(record, answer);

    record->asking = false;
    if (!failed || record->outcome != DNS_FOUND || !record_is_fresh(record, now_ms))
        replace(record, answer, now_ms);
    else
        record->ask_ms = record->until_ms < now_ms + DNS_ASK_AGAIN_MS ? record->until_ms
                                                                      : now_ms + DNS_ASK_AGAIN_MS;
    return moved;
}

void record_shorten(struct record *record, uint64_t until_ms)
{
    if (record->until_ms > until_ms)
        record->until_ms = record->ask_ms = until_ms;
}
