#include "proxy/origin/circuit.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "config/memory.h"
#include "policy/destination.h"
#include "proxy/limits.h"

enum { BUCKETS = 64 };

struct circuit {
    LIST_ENTRY(circuit) bucket;
    TAILQ_ENTRY(circuit) age;
    uint32_t hash;
    struct sockaddr_storage address;
    char host[HOST_MAX + 3];
    unsigned failures; /* in a row */
    unsigned silences; /* those of them that no connection makes undone */
    uint64_t failed_ms, open_until_ms;
    unsigned open_ms; /* 0: closed */
    bool probed;      /* while open: somebody tries */
};

struct circuits {
    unsigned failures;
    size_t n, n_open;
    TAILQ_HEAD(, circuit) by_age; /* the latest failure last */
    LIST_HEAD(, circuit) buckets[BUCKETS];
};

/* ---- the table ---- */

/* Family, port and address; what else a sockaddr holds tells no two apart. */
static size_t identity_of(const struct sockaddr *address, unsigned char out[20])
{
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;
    bool is_six = address->sa_family == AF_INET6;

    out[0] = is_six;
    memcpy(out + 1, is_six ? &six->sin6_port : &four->sin_port, 2);
    if (is_six)
        memcpy(out + 3, &six->sin6_addr, 16);
    else
        memcpy(out + 3, &four->sin_addr, 4);
    return is_six ? 19 : 7;
}

static uint32_t hash_of(const char *host, const struct sockaddr *address)
{
    unsigned char identity[20];
    size_t n = identity_of(address, identity);

    return (uint32_t)text_hash(text_hash(0, text_of(host)), (struct text){ (char *)identity, n });
}

static bool is_of(const struct circuit *circuit, const char *host, const struct sockaddr *address)
{
    unsigned char left[20], right[20];
    size_t n = identity_of(address, left);

    return identity_of((const struct sockaddr *)&circuit->address, right) == n &&
           memcmp(left, right, n) == 0 && strcmp(circuit->host, host) == 0;
}

static struct circuit *find(const struct circuits *circuits, const char *host,
                            const struct sockaddr *address)
{
    struct circuit *circuit;
    uint32_t hash;

    if (circuits->n == 0)
        return NULL;
    hash = hash_of(host, address);
    LIST_FOREACH(circuit, &circuits->buckets[hash % BUCKETS], bucket) {
        if (circuit->hash == hash && is_of(circuit, host, address))
            return circuit;
    }
    return NULL;
}

static void forget(struct circuits *circuits, struct circuit *circuit)
{
    LIST_REMOVE(circuit, bucket);
    TAILQ_REMOVE(&circuits->by_age, circuit, age);
    circuits->n--;
    circuits->n_open -= circuit->open_ms != 0;
    free(circuit);
}

static struct circuit *add(struct circuits *circuits, const char *host,
                           const struct sockaddr *address)
{
    struct circuit *circuit = mem_alloc(1, sizeof(*circuit));
    bool is_six = address->sa_family == AF_INET6;

    if (circuits->n >= LIMIT_CIRCUITS)
        forget(circuits, TAILQ_FIRST(&circuits->by_age));
    circuit->hash = hash_of(host, address);
    memcpy(&circuit->address, address,
           is_six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
    snprintf(circuit->host, sizeof(circuit->host), "%s", host);
    LIST_INSERT_HEAD(&circuits->buckets[circuit->hash % BUCKETS], circuit, bucket);
    TAILQ_INSERT_TAIL(&circuits->by_age, circuit, age);
    circuits->n++;
    return circuit;
}

/* ---- what happens to a circuit ---- */

bool circuit_allows(struct circuits *circuits, const char *host, const struct sockaddr *address,
                    uint64_t now_ms, uint64_t *left_ms)
{
    struct circuit *circuit = find(circuits, host, address);

    *left_ms = 0;
    if (!circuit || !circuit->open_ms)
        return true;
    if (now_ms < circuit->open_until_ms) {
        *left_ms = circuit->open_until_ms - now_ms;
        return false;
    }
    if (circuit->probed)
        return false;
    circuit->probed = true;
    return true;
}

static void open_for(struct circuits *circuits, struct circuit *circuit, unsigned ms,
                     uint64_t now_ms)
{
    circuits->n_open += circuit->open_ms == 0;
    circuit->open_ms = ms;
    circuit->open_until_ms = now_ms + ms;
    circuit->probed = false;
}

static void count(struct circuit *circuit, enum circuit_failure how, uint64_t began_ms,
                  uint64_t now_ms)
{
    if (began_ms > circuit->failed_ms + CIRCUIT_WINDOW_MS)
        circuit->failures = circuit->silences = 0;
    circuit->failed_ms = now_ms;
    circuit->failures++;
    circuit->silences += how == CIRCUIT_SILENT;
}

/* Attempts that began before it opened may still fail while it is open: nothing new. */
uint64_t circuit_failed(struct circuits *circuits, const char *host, const struct sockaddr *address,
                        enum circuit_failure how, uint64_t began_ms, uint64_t now_ms)
{
    struct circuit *circuit = find(circuits, host, address);

    if (!circuits->failures || (circuit && circuit->open_ms && !circuit->probed))
        return 0;
    if (!circuit)
        circuit = add(circuits, host, address);
    TAILQ_REMOVE(&circuits->by_age, circuit, age);
    TAILQ_INSERT_TAIL(&circuits->by_age, circuit, age);
    if (circuit->open_ms) {
        unsigned twice = 2 * circuit->open_ms;
        open_for(circuits, circuit, twice < CIRCUIT_OPEN_MAX_MS ? twice : CIRCUIT_OPEN_MAX_MS,
                 now_ms);
        return circuit->open_ms;
    }
    count(circuit, how, began_ms, now_ms);
    if (circuit->failures < circuits->failures)
        return 0;
    open_for(circuits, circuit, CIRCUIT_OPEN_MS, now_ms);
    return circuit->open_ms;
}

static void shut(struct circuits *circuits, struct circuit *circuit)
{
    circuits->n_open -= circuit->open_ms != 0;
    circuit->open_ms = 0;
    circuit->probed = false;
}

enum circuit_now circuit_connected(struct circuits *circuits, const char *host,
                                   const struct sockaddr *address)
{
    struct circuit *circuit = find(circuits, host, address);
    bool was_open = circuit && circuit->open_ms;

    if (!circuit)
        return CIRCUIT_FINE;
    circuit->failures = circuit->silences;
    if (circuit->silences >= circuits->failures)
        return CIRCUIT_WAITING;
    if (circuit->silences == 0)
        forget(circuits, circuit);
    else
        shut(circuits, circuit);
    return was_open ? CIRCUIT_CLOSED : CIRCUIT_FINE;
}

bool circuit_answered(struct circuits *circuits, const char *host, const struct sockaddr *address)
{
    struct circuit *circuit = find(circuits, host, address);
    bool was_open = circuit && circuit->open_ms;

    if (circuit)
        forget(circuits, circuit);
    return was_open;
}

void circuit_left(struct circuits *circuits, const char *host, const struct sockaddr *address)
{
    struct circuit *circuit = find(circuits, host, address);

    if (circuit)
        circuit->probed = false;
}

/* ---- all of them ---- */

struct circuits *circuits_new(unsigned failures)
{
    struct circuits *circuits = mem_alloc(1, sizeof(*circuits));

    circuits->failures = failures;
    TAILQ_INIT(&circuits->by_age);
    for (size_t i = 0; i < BUCKETS; i++)
        LIST_INIT(&circuits->buckets[i]);
    return circuits;
}

void circuits_free(struct circuits *circuits)
{
    struct circuit *circuit, *next;

    if (!circuits)
        return;
    for (circuit = TAILQ_FIRST(&circuits->by_age); circuit; circuit = next) {
        next = TAILQ_NEXT(circuit, age);
        forget(circuits, circuit);
    }
    free(circuits);
}

bool circuits_are_empty(const struct circuits *circuits)
{
    return circuits->n == 0;
}

unsigned circuits_n_open(const struct circuits *circuits)
{
    return (unsigned)circuits->n_open;
}
