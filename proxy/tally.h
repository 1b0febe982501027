/* proxy/tally.h - what one loop counts while it works, in one plain struct.
 *
 * A loop owns its tally and nobody else writes to it; those of several loops are added up by tally_add()
 * when somebody asks. Counting is an addition: no lock, no call into the system, no memory.
 *
 * A destination gets counts of its own only if the policy allowed a request to it, and only the first
 * LIMIT_TALLY_PLACES of them do: nobody can make the numbers grow by asking for names. */
#ifndef PROXY_TALLY_H
#define PROXY_TALLY_H

#include "config/address.h"
#include "config/text.h"
#include "proxy/limits.h"
#include "proxy/reply.h"

/* How long something took, counted by upper bounds. */
enum { TALLY_BOUNDS = 18 };
struct tally_times {
    uint64_t sum_us;
    uint64_t n[TALLY_BOUNDS + 1]; /* the last: longer than every bound */
};
/* Ascending; behind the last stands one that nothing exceeds. */
extern const uint64_t tally_bounds_us[TALLY_BOUNDS + 1];

static inline void tally_time(struct tally_times *times, uint64_t us)
{
    size_t i = 0;

    while (us > tally_bounds_us[i])
        i++;
    times->n[i]++;
    times->sum_us += us;
}

enum tally_verdict {
    TALLY_UNJUDGED, /* it ended before there was a verdict */
    TALLY_ALLOW,
    TALLY_WOULD_DENY,
    TALLY_DENY,
    TALLY_REFUSE,
    N_TALLY_VERDICTS,
};
const char *tally_verdict_name(enum tally_verdict verdict);

enum tally_shaking { TALLY_CERTIFICATE, TALLY_PROTOCOL, TALLY_TIMEOUT, N_TALLY_SHAKINGS };
const char *tally_shaking_name(enum tally_shaking why);

/* One destination. */
struct tally_place {
    uint64_t requests[N_OUTCOMES]; /* allowed ones, by how they ended */
    struct tally_times first_byte; /* from asking the origin to its response's head */
    size_t len;
    char host[HOST_MAX + 3]; /* as a destination has it; with a NUL */
};

enum { TALLY_SLOTS = 2 * LIMIT_TALLY_PLACES };

/* What a loop's resolver does. */
struct tally_names {
    uint64_t asked;      /* for a connection to a name */
    uint64_t hits;       /* of those: answered by what was known, "no" included */
    uint64_t joined;     /* of those: waited for a question that was under way */
    uint64_t lookups;    /* questions, both families together, the hosts file's included */
    uint64_t refreshes;  /* of those: ahead of the end of an answer */
    uint64_t from_hosts; /* of those: answered by the hosts file */
    uint64_t no_address; /* of those: neither family has one, for whatever reason */
    uint64_t failed;     /* families that were not answered: a server's failure, or nonsense */
    uint64_t timeouts;   /* families that nobody answered for in time */
    uint64_t moved;      /* answers that were other than the one before */
    uint64_t names;      /* that are known now */
    struct tally_times looking_up; /* until the last family's answer */
};

struct tally {
    /* numbers, added up word by word */
    uint64_t request_bytes, response_bytes;
    struct tally_times ours; /* from a request's head to seeking a connection, waits taken off */
    struct tally_times total;
    uint64_t connections_open, connections_idle; /* now */
    uint64_t connections_opened, connections_reused, stale_retries;
    struct tally_times connecting; /* DNS, TCP and TLS together */
    uint64_t handshakes_full, handshakes_resumed;
    uint64_t handshakes_failed[N_TALLY_SHAKINGS];
    struct tally_names names;
    struct tally_times lag;
    uint64_t requests[N_TALLY_VERDICTS][N_OUTCOMES]; /* those of no place below */
    struct tally_times first_byte;

    /* places, added up by name */
    size_t n_places, last;
    uint8_t slots[TALLY_SLOTS]; /* by hash: 1 + index; 0: free */
    struct tally_place places[LIMIT_TALLY_PLACES];
};

/* ---- for connections */
void tally_connected(struct tally *tally, uint64_t us, bool tls, bool resumed);
void tally_handshake_failed(struct tally *tally, enum outcome outcome);

/* ---- for exchanges */
struct tally_exchange {
    struct text host; /* the destination's; not there unless it was judged */
    enum tally_verdict verdict;
    enum outcome outcome;
    uint64_t request_bytes, response_bytes;
    uint64_t total_us, ours_us, first_byte_us; /* 0: it did not come so far */
};
void tally_ended(struct tally *tally, const struct tally_exchange *exchange);

/* The one of this host, new if there is room; NULL if there is none. */
struct tally_place *tally_place_of(struct tally *tally, struct text host);
/* Adds the numbers of `one` to those of `sum`. What finds no room in `sum` goes to the nameless. */
void tally_add(struct tally *sum, const struct tally *one);

#endif
