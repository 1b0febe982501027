/* Counting: into which bucket, for which destination, and the sum of several loops. */
#include <stdio.h>
#include <stdlib.h>

#include "proxy/tally.h"
#include "tests/unit/stories.h"

/* ---- times ---- */

static struct bucket {
    const char *name;
    uint64_t us;
    size_t want;
} buckets[] = {
    { "nothing", 0, 0 },
    { "a bound is in its bucket", 100, 0 },
    { "one more is not", 101, 1 },
    { "a millisecond", 1000, 3 },
    { "a second", 1000000, 12 },
    { "a minute", 60000000, TALLY_BOUNDS - 1 },
    { "longer than every bound", 60000001, TALLY_BOUNDS },
    { "for ever", UINT64_MAX, TALLY_BOUNDS },
};

static void falls_into(void **state)
{
    const struct bucket *row = *state;
    struct tally_times times = { 0 };

    tally_time(&times, row->us);
    for (size_t i = 0; i <= TALLY_BOUNDS; i++)
        assert_int_equal(times.n[i], i == row->want);
    assert_int_equal(times.sum_us, row->us);
}

static void bounds_ascend(void **state)
{
    (void)state;
    for (size_t i = 0; i < TALLY_BOUNDS; i++)
        assert_true(tally_bounds_us[i] < tally_bounds_us[i + 1]);
}

/* ---- who gets counts of his own ---- */

static struct end {
    const char *name;
    enum tally_verdict verdict;
    bool own;
} ends[] = {
    { "allowed", TALLY_ALLOW, true },
    { "denied", TALLY_DENY, false },
    { "refused", TALLY_REFUSE, false },
    { "let through against the policy", TALLY_WOULD_DENY, false },
    { "never judged", TALLY_UNJUDGED, false },
};

static void counts_for(void **state)
{
    const struct end *row = *state;
    struct tally *tally = calloc(1, sizeof(*tally));
    struct tally_exchange exchange = { .host = TEXT("a.test"),
                                       .verdict = row->verdict,
                                       .outcome = OUTCOME_RELAYED,
                                       .request_bytes = 3,
                                       .response_bytes = 5,
                                       .total_us = 700,
                                       .first_byte_us = 300 };

    tally_ended(tally, &exchange);
    tally_ended(tally, &exchange);
    assert_int_equal(tally->n_places, row->own);
    assert_int_equal(tally->requests[row->verdict][OUTCOME_RELAYED], row->own ? 0 : 2);
    assert_int_equal(tally->places[0].requests[OUTCOME_RELAYED], row->own ? 2 : 0);
    assert_int_equal(tally->first_byte.sum_us, row->own ? 0 : 600);
    assert_int_equal(tally->places[0].first_byte.sum_us, row->own ? 600 : 0);
    assert_int_equal(tally->request_bytes, 6);
    assert_int_equal(tally->response_bytes, 10);
    assert_int_equal(tally->total.sum_us, 1400);
    assert_int_equal(tally->ours.sum_us, 0); /* it never came so far */
    free(tally);
}

static void name(char out[32], unsigned i)
{
    snprintf(out, 32, "host-%u.test", i);
}

static void there_is_room_for_so_many(void **state)
{
    struct tally *tally = calloc(1, sizeof(*tally));
    char host[32];

    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 3 * LIMIT_TALLY_PLACES; i++) {
            name(host, i);
            const struct tally_place *place = tally_place_of(tally, text_of(host));
            assert_int_equal(place != NULL, i < LIMIT_TALLY_PLACES);
            if (place)
                assert_string_equal(place->host, host);
        }
    }
    assert_int_equal(tally->n_places, LIMIT_TALLY_PLACES);
    free(tally);
}

static void a_name_that_is_too_long_has_none(void **state)
{
    struct tally *tally = calloc(1, sizeof(*tally));
    char host[HOST_MAX + 16];

    (void)state;
    memset(host, 'a', sizeof(host));
    assert_null(tally_place_of(tally, (struct text){ host, sizeof(host) }));
    assert_int_equal(tally->n_places, 0);
    free(tally);
}

/* ---- the sum ---- */

static void fill(struct tally *tally, unsigned first_host, unsigned n_hosts)
{
    char host[32];

    for (unsigned i = 0; i < n_hosts; i++) {
        struct tally_exchange exchange = {
            .verdict = TALLY_ALLOW, .outcome = OUTCOME_DNS, .total_us = 1, .first_byte_us = 1
        };
        name(host, first_host + i);
        exchange.host = text_of(host);
        tally_ended(tally, &exchange);
    }
    tally->connections_open += n_hosts;
    tally_connected(tally, 10, true, true);
    tally->names.no_address++;
    tally_time(&tally->names.looking_up, 10);
    tally_handshake_failed(tally, OUTCOME_CERTIFICATE);
    tally_handshake_failed(tally, OUTCOME_TLS_TIMEOUT);
    tally_handshake_failed(tally, OUTCOME_TLS);
}

static void a_sum_loses_nothing(void **state)
{
    struct tally *one = calloc(1, sizeof(*one)), *two = calloc(1, sizeof(*two)),
                 *sum = calloc(1, sizeof(*sum));
    uint64_t n = 0;

    (void)state;
    fill(one, 0, 50);
    fill(two, 40, 50); /* ten of the same, and more than there is room for */
    tally_add(sum, one);
    tally_add(sum, two);
    assert_int_equal(sum->n_places, LIMIT_TALLY_PLACES);
    for (size_t i = 0; i < sum->n_places; i++)
        n += sum->places[i].requests[OUTCOME_DNS];
    assert_int_equal(n, LIMIT_TALLY_PLACES + 10);
    assert_int_equal(sum->requests[TALLY_ALLOW][OUTCOME_DNS], 90 - LIMIT_TALLY_PLACES);
    assert_int_equal(sum->first_byte.sum_us, 90 - LIMIT_TALLY_PLACES);
    assert_int_equal(sum->connections_open, 100);
    assert_int_equal(sum->handshakes_resumed, 2);
    assert_int_equal(sum->handshakes_full, 0);
    assert_int_equal(sum->names.no_address, 2);
    assert_int_equal(sum->names.looking_up.sum_us, 20);
    assert_int_equal(sum->connecting.sum_us, 20);
    assert_int_equal(sum->total.sum_us, 100);
    for (int i = 0; i < N_TALLY_SHAKINGS; i++)
        assert_int_equal(sum->handshakes_failed[i], 2);
    free(one);
    free(two);
    free(sum);
}

int main(void)
{
    static struct stories all;

    STORIES_ADD(&all, buckets, falls_into);
    STORIES_ADD(&all, ends, counts_for);
    stories_add(&all, "bounds ascend", bounds_ascend, NULL);
    stories_add(&all, "there is room for so many destinations", there_is_room_for_so_many, NULL);
    stories_add(&all, "a name that is too long", a_name_that_is_too_long_has_none, NULL);
    stories_add(&all, "a sum loses nothing", a_sum_loses_nothing, NULL);
    return stories_run("tally", &all);
}
