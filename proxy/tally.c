#include "proxy/tally.h"

#include <stdint.h>

const uint64_t tally_bounds_us[TALLY_BOUNDS + 1] = {
    100,    250,    500,     1000,    2500,    5000,     10000,    25000,    50000,      100000,
    250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000, 60000000, UINT64_MAX,
};

const char *tally_verdict_name(enum tally_verdict verdict)
{
    static const char *const names[N_TALLY_VERDICTS] = {
        [TALLY_UNJUDGED] = "none", [TALLY_ALLOW] = "allow",   [TALLY_WOULD_DENY] = "would-deny",
        [TALLY_DENY] = "deny",     [TALLY_REFUSE] = "refuse",
    };

    return names[verdict];
}

const char *tally_shaking_name(enum tally_shaking why)
{
    static const char *const names[N_TALLY_SHAKINGS] = {
        [TALLY_CERTIFICATE] = "certificate",
        [TALLY_PROTOCOL] = "protocol",
        [TALLY_TIMEOUT] = "timeout",
    };

    return names[why];
}

/* ---- places ---- */

_Static_assert(LIMIT_TALLY_PLACES < UINT8_MAX, "slots hold 1 + index in a byte");
_Static_assert((TALLY_SLOTS & (TALLY_SLOTS - 1)) == 0, "the hash is masked");

static bool is_of(const struct tally_place *place, struct text host)
{
    return place->len == host.len && memcmp(place->host, host.at, host.len) == 0;
}

static struct tally_place *place_new(struct tally *tally, uint8_t *slot, struct text host)
{
    struct tally_place *place = &tally->places[tally->n_places];

    if (tally->n_places == LIMIT_TALLY_PLACES || host.len >= sizeof(place->host))
        return NULL;
    memcpy(place->host, host.at, host.len);
    place->host[host.len] = '\0';
    place->len = host.len;
    *slot = (uint8_t)++tally->n_places;
    return place;
}

/* Half of the slots are always free, so that every walk ends. */
struct tally_place *tally_place_of(struct tally *tally, struct text host)
{
    struct tally_place *last = &tally->places[tally->last];
    uint32_t at;

    if (is_of(last, host) && host.len)
        return last;
    for (at = text_hash(0, host) & (TALLY_SLOTS - 1); tally->slots[at];
         at = (at + 1) & (TALLY_SLOTS - 1)) {
        struct tally_place *place = &tally->places[tally->slots[at] - 1];
        if (is_of(place, host)) {
            tally->last = (size_t)(place - tally->places);
            return place;
        }
    }
    return place_new(tally, &tally->slots[at], host);
}

/* ---- what is counted ---- */

void tally_connected(struct tally *tally, uint64_t us, bool tls, bool resumed)
{
    tally_time(&tally->connecting, us);
    tally->handshakes_resumed += tls && resumed;
    tally->handshakes_full += tls && !resumed;
}

void tally_handshake_failed(struct tally *tally, enum outcome outcome)
{
    tally->handshakes_failed[outcome == OUTCOME_CERTIFICATE   ? TALLY_CERTIFICATE
                             : outcome == OUTCOME_TLS_TIMEOUT ? TALLY_TIMEOUT
                                                              : TALLY_PROTOCOL]++;
}

/* Of its own only where the policy allowed it: other names come from whoever asks. */
void tally_ended(struct tally *tally, const struct tally_exchange *exchange)
{
    struct tally_place *place =
        exchange->verdict == TALLY_ALLOW ? tally_place_of(tally, exchange->host) : NULL;

    (place ? place->requests : tally->requests[exchange->verdict])[exchange->outcome]++;
    tally->request_bytes += exchange->request_bytes;
    tally->response_bytes += exchange->response_bytes;
    tally_time(&tally->total, exchange->total_us);
    if (exchange->ours_us)
        tally_time(&tally->ours, exchange->ours_us);
    if (exchange->first_byte_us)
        tally_time(place ? &place->first_byte : &tally->first_byte, exchange->first_byte_us);
}

/* ---- adding up ---- */

static void add_words(uint64_t *sum, const uint64_t *one, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += one[i];
}

enum { WORD = sizeof(uint64_t) };
_Static_assert(offsetof(struct tally, n_places) % WORD == 0, "it is added up word by word");
_Static_assert(sizeof(struct tally_times) % WORD == 0, "it is added up word by word");

static void add_place(struct tally *sum, const struct tally_place *one)
{
    struct tally_place *place = tally_place_of(sum, (struct text){ one->host, one->len });
    struct tally_times *times = place ? &place->first_byte : &sum->first_byte;

    add_words(place ? place->requests : sum->requests[TALLY_ALLOW], one->requests, N_OUTCOMES);
    add_words((uint64_t *)times, (const uint64_t *)&one->first_byte, sizeof(*times) / WORD);
}

void tally_add(struct tally *sum, const struct tally *one)
{
    add_words((uint64_t *)sum, (const uint64_t *)one, offsetof(struct tally, n_places) / WORD);
    for (size_t i = 0; i < one->n_places; i++)
        add_place(sum, &one->places[i]);
}
