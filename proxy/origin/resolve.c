#include "proxy/origin/resolve.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>

#include "config/memory.h"
#include "policy/address_class.h"
#include "proxy/clock.h"
#include "proxy/origin/resolve_parts.h"

enum { SECOND_MS = 1000 };

uint64_t resolver_now_ms(void)
{
    return clock_now().boot_ms;
}

/* ---- names ---- */

static uint32_t hash_of(const char *host)
{
    return (uint32_t)text_hash(0, text_of(host));
}

static struct name *find_name(struct resolver *resolver, const char *host, uint32_t hash)
{
    struct name *name;

    LIST_FOREACH(name, &resolver->buckets[hash % RESOLVER_BUCKETS], bucket) {
        if (name->hash == hash && strcmp(name->host, host) == 0)
            return name;
    }
    return NULL;
}

static void free_name(struct name *name)
{
    struct resolver *resolver = name->resolver;

    assert(name->n_holders == 0);
    TAILQ_REMOVE(&resolver->unused, name, age);
    LIST_REMOVE(name, bucket);
    resolver->n_unused--;
    resolver->counts->names--;
    event_del(&name->ahead);
    for (size_t i = 0; i < N_IP_FAMILIES; i++)
        record_fini(&name->records[i]);
    free(name);
}

static void hold(struct name *name)
{
    if (name->n_holders++ > 0)
        return;
    TAILQ_REMOVE(&name->resolver->unused, name, age);
    name->resolver->n_unused--;
}

void name_unhold(struct name *name)
{
    struct resolver *resolver = name->resolver;

    if (--name->n_holders > 0)
        return;
    TAILQ_INSERT_TAIL(&resolver->unused, name, age);
    if (++resolver->n_unused > LIMIT_NAMES)
        free_name(TAILQ_FIRST(&resolver->unused));
}

static void on_ahead(evutil_socket_t fd, short what, void *arg);

struct name *name_hold(struct resolver *resolver, const char *host)
{
    uint32_t hash = hash_of(host);
    struct name *name = find_name(resolver, host, hash);
    size_t size = strlen(host) + 1;

    if (name) {
        hold(name);
        return name;
    }
    name = mem_alloc(1, sizeof(*name) + size);
    name->resolver = resolver;
    name->hash = hash;
    name->n_holders = 1;
    memcpy(name->host, host, size);
    TAILQ_INIT(&name->waiting);
    TAILQ_INIT(&name->watches);
    event_assign(&name->ahead, loop_base(resolver->loop), -1, 0, on_ahead, name);
    LIST_INSERT_HEAD(&resolver->buckets[hash % RESOLVER_BUCKETS], name, bucket);
    resolver->counts->names++;
    return name;
}

static bool is_asking(const struct name *name)
{
    return name->records[IP_V6].asking || name->records[IP_V4].asking;
}

/* ---- what an answer changes ---- */

static void count_answer(struct tally_names *counts, const struct dns_answer *answer)
{
    counts->failed += answer->outcome == DNS_FAILED;
    counts->timeouts += answer->outcome == DNS_SILENT;
}

/* Both families have been answered for: a name without any address is believed for a shorter time. */
static void settle(struct name *name, uint64_t now)
{
    struct record *v6 = &name->records[IP_V6], *v4 = &name->records[IP_V4];
    bool failed = v6->outcome >= DNS_FAILED || v4->outcome >= DNS_FAILED;

    tally_time(&name->resolver->counts->looking_up, loop_now_us() - name->asked_us);
    if (v6->outcome == DNS_FOUND || v4->outcome == DNS_FOUND)
        return;
    name->resolver->counts->no_address++;
    uint64_t until = now + (failed ? DNS_FAILED_S : DNS_NO_NAME_MAX_S) * (uint64_t)SECOND_MS;
    record_shorten(v6, until);
    record_shorten(v4, until);
}

static void look_ahead(struct name *name, uint64_t now);

static void on_answer(struct name *name, enum ip_family family, const struct dns_answer *answer)
{
    struct tally_names *counts = name->resolver->counts;
    uint64_t now = resolver_now_ms();
    struct name_watch *watch;

    count_answer(counts, answer);
    if (record_take(&name->records[family], answer, now)) {
        counts->moved++;
        name->edition++;
        TAILQ_FOREACH(watch, &name->watches, link)
            watch->moved(watch);
    }
    if (!is_asking(name)) {
        settle(name, now);
        look_ahead(name, now);
    }
    name_tell(name, family);
    name_unhold(name);
}

static void on_v6(void *context, const struct dns_answer *answer)
{
    on_answer(context, IP_V6, answer);
}

static void on_v4(void *context, const struct dns_answer *answer)
{
    on_answer(context, IP_V4, answer);
}

/* ---- asking ---- */

static bool ask_hosts_file(struct name *name, const bool wanted[N_IP_FAMILIES])
{
    struct dns_answer answers[N_IP_FAMILIES];
    unsigned edition = dns_hosts_edition(name->resolver->dns);

    if (edition == name->hosts_edition)
        return false;
    if (!dns_hosts_file(name->resolver->dns, name->host, answers)) {
        name->hosts_edition = edition;
        return false;
    }
    name->resolver->counts->from_hosts++;
    for (enum ip_family family = 0; family < N_IP_FAMILIES; family++) {
        if (wanted[family])
            on_answer(name, family, &answers[family]);
    }
    return true;
}

static bool mark_wanted(struct name *name, uint64_t now, bool wanted[N_IP_FAMILIES])
{
    bool any = false;

    if (!is_asking(name))
        name->asked_us = loop_now_us();
    for (size_t i = 0; i < N_IP_FAMILIES; i++) {
        struct record *record = &name->records[i];

        wanted[i] = !record->asking && now >= record->ask_ms;
        if (!wanted[i])
            continue;
        any = record->asking = true;
        hold(name);
    }
    return any;
}

void name_ask(struct name *name)
{
    static dns_answered *const answered[N_IP_FAMILIES] = { on_v6, on_v4 };
    bool wanted[N_IP_FAMILIES];
    uint64_t now = resolver_now_ms();

    if (!mark_wanted(name, now, wanted)) {
        look_ahead(name, now);
        return;
    }
    name->asked_ms = now;
    name->resolver->counts->lookups++;
    if (ask_hosts_file(name, wanted))
        return;
    for (enum ip_family family = 0; family < N_IP_FAMILIES; family++) {
        if (wanted[family])
            dns_ask(name->resolver->dns, name->host, family, answered[family], name);
    }
}

/* ---- ahead of the end ---- */

/* Sets the alarm for the next look at a name that somebody watches. */
static void look_ahead(struct name *name, uint64_t now)
{
    const struct record *v6 = &name->records[IP_V6], *v4 = &name->records[IP_V4];
    uint64_t at = v6->ask_ms < v4->ask_ms ? v6->ask_ms : v4->ask_ms;
    uint64_t soonest = name->asked_ms + DNS_ASK_AGAIN_MS;

    at = at > soonest ? at : soonest;
    uint64_t in = at > now ? at - now : 1;
    struct timeval tv = { (time_t)(in / SECOND_MS), (suseconds_t)(in % SECOND_MS * 1000) };

    name->due = false;
    if (TAILQ_EMPTY(&name->watches))
        event_del(&name->ahead);
    else
        event_add(&name->ahead, &tv);
}

/* The alarm may ring a little early (the loop's clock is coarse): then it is set again, and nothing is
 * forgotten. */
static void ask_ahead(struct name *name)
{
    uint64_t before = name->resolver->counts->lookups;

    name->due = false;
    if (is_asking(name))
        return; /* its answer sets the alarm */
    name_ask(name);
    if (name->resolver->counts->lookups == before)
        return;
    name->resolver->counts->refreshes++;
    name->used = false;
}

static void on_ahead(evutil_socket_t fd, short what, void *arg)
{
    struct name *name = arg;

    (void)fd;
    (void)what;
    if (name->used)
        ask_ahead(name);
    else
        name->due = true;
}

void name_watch_begin(struct name_watch *watch, struct resolver *resolver, const char *host)
{
    struct sockaddr_storage literal;

    watch->name = NULL;
    if (address_of_literal(host, &literal))
        return;
    watch->name = name_hold(resolver, host);
    if (TAILQ_EMPTY(&watch->name->watches))
        watch->name->due = true;
    TAILQ_INSERT_TAIL(&watch->name->watches, watch, link);
}

void name_watch_end(struct name_watch *watch)
{
    if (!watch->name)
        return;
    TAILQ_REMOVE(&watch->name->watches, watch, link);
    if (TAILQ_EMPTY(&watch->name->watches))
        event_del(&watch->name->ahead);
    name_unhold(watch->name);
    watch->name = NULL;
}

void name_watch_use(struct name_watch *watch)
{
    if (!watch->name)
        return;
    watch->name->used = true;
    if (watch->name->due)
        ask_ahead(watch->name);
}

bool name_watch_covers(const struct name_watch *watch, const struct sockaddr *address)
{
    struct ip ip = ip_of_sockaddr(address);
    const struct record *record;

    if (!watch->name)
        return true;
    record = &watch->name->records[ip_family_of(address)];
    return !record->answered || record->cut || record_has(record, &ip);
}

uint32_t name_watch_edition(const struct name_watch *watch)
{
    return watch->name ? watch->name->edition : 0;
}

/* ---- which family ---- */

enum ip_family name_first_family(const struct name *name)
{
    return resolver_now_ms() < name->connected_until_ms ? name->connected : IP_V6;
}

void resolver_note_connected(struct resolver *resolver, const char *host,
                             const struct sockaddr *address)
{
    struct name *name = find_name(resolver, host, hash_of(host));

    if (!name)
        return;
    name->connected = ip_family_of(address);
    name->connected_until_ms = resolver_now_ms() + FAMILY_MEMORY_MS;
}

/* ---- the resolver ---- */

struct resolver *resolver_new(struct loop *loop, const struct settings *settings,
                              struct helper *helper, struct tally_names *counts)
{
    struct resolver *resolver = mem_alloc(1, sizeof(*resolver));

    resolver->loop = loop;
    resolver->counts = counts;
    resolver->dns = dns_new(loop, settings, helper);
    resolver->delays = deadlines_new(loop, RESOLUTION_DELAY_MS);
    TAILQ_INIT(&resolver->unused);
    for (size_t i = 0; i < RESOLVER_BUCKETS; i++)
        LIST_INIT(&resolver->buckets[i]);
    return resolver;
}

void resolver_free(struct resolver *resolver)
{
    struct name *name, *next;

    if (!resolver)
        return;
    dns_free(resolver->dns);
    for (name = TAILQ_FIRST(&resolver->unused); name; name = next) {
        next = TAILQ_NEXT(name, age);
        free_name(name);
    }
    deadlines_free(resolver->delays);
    free(resolver);
}
