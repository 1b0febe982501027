#include "proxy/origin/resolve.h"

#include <assert.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>

#include "config/memory.h"
#include "policy/address_class.h"
#include "proxy/clock.h"
#include "proxy/loop.h"
#include "proxy/origin/dns.h"
#include "proxy/socket.h"
#include "proxy/tally.h"

enum { BUCKETS = 256, SECOND_MS = 1000 };

/* What is known of one family of a name. Times are of CLOCK_BOOTTIME: a TTL runs while the machine sleeps. */
struct record {
    struct ip
        *items;     /* of the last answer that was none of failure; to be used only if DNS_FOUND */
    size_t n, turn; /* turn: with which of them the next connection begins */
    bool answered;  /* there was such an answer */
    bool cut;       /* it had more */
    bool asking;
    enum dns_outcome outcome;
    const char *why;
    uint64_t until_ms, ask_ms; /* the end of the outcome; when to ask ahead of it */
};

struct name {
    LIST_ENTRY(name) bucket;
    TAILQ_ENTRY(name) age; /* in resolver->unused */
    struct resolver *resolver;
    struct record records[N_IP_FAMILIES];
    TAILQ_HEAD(, resolution) waiting;
    TAILQ_HEAD(, name_watch) watches;
    struct event ahead; /* set while watched: time to ask again */
    uint64_t asked_us;
    unsigned n_holders; /* waiting, watches, families being asked for */
    uint32_t hash, edition;
    unsigned hosts_edition; /* of the file in which it was not found */
    bool used;              /* since the last look at that */
    bool due; /* nobody used it when it was time to ask: the next one who does makes us ask */
    enum ip_family connected;
    uint64_t connected_until_ms;
    char host[];
};

struct resolver {
    struct loop *loop;
    struct dns *dns;
    struct deadlines *delays;           /* RESOLUTION_DELAY_MS */
    TAILQ_HEAD(name_list, name) unused; /* names without holders, oldest first */
    size_t n_unused;
    struct tally_names *counts;
    LIST_HEAD(, name) buckets[BUCKETS];
};

/* One who waits. A family is `there` when its record is for him, whatever becomes of the record's TTL, and
 * `told` when he was called about it. */
struct resolution {
    TAILQ_ENTRY(resolution) link;
    struct name *name; /* NULL: a literal */
    struct resolver *resolver;
    resolved *done;
    void *context;
    struct job tell;
    struct deadline delay;
    struct sockaddr_storage literal;
    uint16_t port;
    bool there[N_IP_FAMILIES], told[N_IP_FAMILIES], delayed;
};

static uint64_t now_ms(void)
{
    return clock_now().boot_ms;
}

/* ---- names ---- */

static uint32_t hash_of(const char *host)
{
    uint32_t hash = 2166136261u;

    for (; *host; host++)
        hash = (hash ^ (unsigned char)*host) * 16777619u;
    return hash;
}

static struct name *find_name(struct resolver *resolver, const char *host, uint32_t hash)
{
    struct name *name;

    LIST_FOREACH(name, &resolver->buckets[hash % BUCKETS], bucket) {
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
        free(name->records[i].items);
    free(name);
}

static void hold(struct name *name)
{
    if (name->n_holders++ > 0)
        return;
    TAILQ_REMOVE(&name->resolver->unused, name, age);
    name->resolver->n_unused--;
}

static void unhold(struct name *name)
{
    struct resolver *resolver = name->resolver;

    if (--name->n_holders > 0)
        return;
    TAILQ_INSERT_TAIL(&resolver->unused, name, age);
    if (++resolver->n_unused > LIMIT_NAMES)
        free_name(TAILQ_FIRST(&resolver->unused));
}

static void on_ahead(evutil_socket_t fd, short what, void *arg);

/* Comes with one holder. */
static struct name *hold_host(struct resolver *resolver, const char *host)
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
    LIST_INSERT_HEAD(&resolver->buckets[hash % BUCKETS], name, bucket);
    resolver->counts->names++;
    return name;
}

static bool is_asking(const struct name *name)
{
    return name->records[IP_V6].asking || name->records[IP_V4].asking;
}

static bool is_fresh(const struct record *record, uint64_t now)
{
    return now < record->until_ms;
}

/* ---- telling those who wait ---- */

static bool has_addresses(const struct resolution *resolution, enum ip_family family)
{
    const struct record *record = &resolution->name->records[family];

    return resolution->there[family] && !resolution->told[family] && record->outcome == DNS_FOUND;
}

static enum ip_family first_family(const struct name *name)
{
    return now_ms() < name->connected_until_ms ? name->connected : IP_V6;
}

/* Something can be said: all there is, or the addresses of one family while the other is asked for. */
static bool is_tellable(const struct resolution *resolution)
{
    if (resolution->there[IP_V6] && resolution->there[IP_V4])
        return true;
    return has_addresses(resolution, IP_V6) ||
           (has_addresses(resolution, IP_V4) &&
            (resolution->delayed || first_family(resolution->name) == IP_V4));
}

static void look_at(struct resolution *resolution)
{
    struct resolver *resolver = resolution->resolver;

    if (is_tellable(resolution)) {
        deadline_clear(&resolution->delay);
        loop_defer(resolver->loop, &resolution->tell);
    } else if (has_addresses(resolution, IP_V4) && !resolution->delay.queue) {
        deadline_set(resolver->delays, &resolution->delay);
    }
}

static void on_delay_over(struct deadline *deadline)
{
    struct resolution *resolution =
        (struct resolution *)(void *)((char *)deadline - offsetof(struct resolution, delay));

    resolution->delayed = true;
    look_at(resolution);
}

static void put_family(struct addresses *found, struct record *record, enum ip_family family,
                       uint16_t port)
{
    size_t n = record->n < LIMIT_ADDRESSES ? record->n : LIMIT_ADDRESSES;

    for (size_t i = 0; i < n; i++)
        ip_to_sockaddr(&record->items[(record->turn + i) % record->n], family, port,
                       &found->items[found->n++]);
    record->turn++;
}

/* The reason that says most, of a name without any address. */
static void say_nothing_found(const struct name *name, struct resolved *result)
{
    const struct record *v6 = &name->records[IP_V6], *v4 = &name->records[IP_V4];
    const struct record *worst = v6->outcome > v4->outcome ? v6 : v4;

    result->outcome = worst->outcome == DNS_SILENT ? RESOLVED_TOO_LATE : RESOLVED_NOTHING;
    result->why = worst->why;
}

static void gather(struct resolution *resolution, struct addresses *found)
{
    found->n = 0;
    found->first = first_family(resolution->name);
    for (enum ip_family family = 0; family < N_IP_FAMILIES; family++) {
        if (has_addresses(resolution, family))
            put_family(found, &resolution->name->records[family], family, resolution->port);
        resolution->told[family] = resolution->there[family];
    }
}

static void end_resolution(struct resolution *resolution)
{
    deadline_clear(&resolution->delay);
    loop_cancel(resolution->resolver->loop, &resolution->tell);
    if (resolution->name) {
        TAILQ_REMOVE(&resolution->name->waiting, resolution, link);
        unhold(resolution->name);
    }
    free(resolution);
}

static void tell_name(struct resolution *resolution)
{
    struct addresses found;
    struct resolved result = { RESOLVED, &found, NULL, false };
    resolved *done = resolution->done;
    void *context = resolution->context;
    bool first = !resolution->told[IP_V6] && !resolution->told[IP_V4];

    gather(resolution, &found);
    result.more = !resolution->told[IP_V6] || !resolution->told[IP_V4];
    if (found.n == 0 && first)
        say_nothing_found(resolution->name, &result);
    if (!result.more)
        end_resolution(resolution);
    done(context, &result);
}

static void tell_literal(struct resolution *resolution)
{
    struct addresses found = { .n = 1, .items = { resolution->literal } };
    struct resolved result = { RESOLVED, &found, NULL, false };
    resolved *done = resolution->done;
    void *context = resolution->context;

    end_resolution(resolution);
    done(context, &result);
}

static void on_tell(struct job *job)
{
    struct resolution *resolution =
        (struct resolution *)(void *)((char *)job - offsetof(struct resolution, tell));

    if (resolution->name)
        tell_name(resolution);
    else
        tell_literal(resolution);
}

/* ---- what an answer changes ---- */

static bool has(const struct record *record, const struct ip *ip)
{
    for (size_t i = 0; i < record->n; i++) {
        if (ip_eq(&record->items[i], ip))
            return true;
    }
    return false;
}

static bool is_same_set(const struct record *record, const struct dns_answer *answer)
{
    if (record->n != answer->n)
        return false;
    for (size_t i = 0; i < answer->n; i++) {
        if (!has(record, &answer->items[i]))
            return false;
    }
    return true;
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

static void replace(struct record *record, const struct dns_answer *answer, uint64_t now)
{
    uint64_t life = lifetime_ms(answer);

    if (answer->outcome < DNS_FAILED)
        keep_items(record, answer);
    record->why = answer->why;
    record->outcome = answer->outcome;
    record->until_ms = now + life;
    record->ask_ms = now + life - life / 10;
}

/* True if the name leads elsewhere than before. A failure changes nothing that still holds. */
static bool take_answer(struct record *record, const struct dns_answer *answer, uint64_t now)
{
    bool failed = answer->outcome >= DNS_FAILED;
    bool moved = !failed && record->answered && !is_same_set(record, answer);

    record->asking = false;
    if (failed && record->outcome == DNS_FOUND && is_fresh(record, now))
        record->ask_ms = now + DNS_ASK_AGAIN_MS;
    else
        replace(record, answer, now);
    return moved;
}

static void count_answer(struct tally_names *counts, const struct dns_answer *answer)
{
    counts->failed += answer->outcome == DNS_FAILED;
    counts->timeouts += answer->outcome == DNS_SILENT;
}

static void shorten(struct record *record, uint64_t until)
{
    if (record->until_ms > until)
        record->until_ms = record->ask_ms = until;
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
    shorten(v6, until);
    shorten(v4, until);
}

static void look_ahead(struct name *name, uint64_t now);
static void on_answer(struct name *name, enum ip_family family, const struct dns_answer *answer)
{
    struct tally_names *counts = name->resolver->counts;
    uint64_t now = now_ms();
    struct resolution *resolution;
    struct name_watch *watch;

    count_answer(counts, answer);
    if (take_answer(&name->records[family], answer, now)) {
        counts->moved++;
        name->edition++;
        TAILQ_FOREACH(watch, &name->watches, link)
            watch->moved(watch);
    }
    if (!is_asking(name)) {
        settle(name, now);
        look_ahead(name, now);
    }
    TAILQ_FOREACH(resolution, &name->waiting, link) {
        resolution->there[family] = true;
        look_at(resolution);
    }
    unhold(name);
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

/* Asks for what is not known, or is about to be no more. */
static void ask(struct name *name)
{
    static dns_answered *const answered[N_IP_FAMILIES] = { on_v6, on_v4 };
    bool wanted[N_IP_FAMILIES];
    uint64_t now = now_ms();

    if (!mark_wanted(name, now, wanted)) {
        look_ahead(name, now);
        return;
    }
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
    uint64_t in = at > now + DNS_ASK_AGAIN_MS ? at - now : DNS_ASK_AGAIN_MS;
    struct timeval tv = { (time_t)(in / SECOND_MS), (suseconds_t)(in % SECOND_MS * 1000) };

    name->due = false;
    if (TAILQ_EMPTY(&name->watches))
        event_del(&name->ahead);
    else
        event_add(&name->ahead, &tv);
}

static void ask_ahead(struct name *name)
{
    uint64_t before = name->resolver->counts->lookups;

    name->due = name->used = false;
    if (!is_asking(name)) /* else its answer sets the alarm */
        ask(name);
    name->resolver->counts->refreshes += name->resolver->counts->lookups - before;
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
    watch->name = hold_host(resolver, host);
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
    unhold(watch->name);
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
    return !record->answered || record->cut || has(record, &ip);
}

uint32_t name_watch_edition(const struct name_watch *watch)
{
    return watch->name ? watch->name->edition : 0;
}

/* ---- resolving ---- */

/* What is fresh is for him; what is not is asked for, unless somebody has. */
static void begin(struct resolution *resolution)
{
    struct name *name = resolution->name;
    struct tally_names *counts = name->resolver->counts;
    uint64_t now = now_ms();
    bool known = true, joins = true;

    for (size_t i = 0; i < N_IP_FAMILIES; i++) {
        resolution->there[i] = is_fresh(&name->records[i], now);
        known = known && resolution->there[i];
        joins = joins && (resolution->there[i] || name->records[i].asking);
    }
    counts->asked++;
    counts->hits += known;
    counts->joined += joins && !known;
    if (known)
        name->used = true;
    else if (!joins)
        ask(name);
    look_at(resolution);
}

struct resolution *resolve(struct resolver *resolver, const char *host, uint16_t port,
                           resolved *done, void *context)
{
    struct resolution *resolution = mem_alloc(1, sizeof(*resolution));

    resolution->resolver = resolver;
    resolution->done = done;
    resolution->context = context;
    resolution->port = port;
    resolution->tell.run = on_tell;
    resolution->delay.passed = on_delay_over;
    if (address_of_literal(host, &resolution->literal)) {
        address_set_port((struct sockaddr *)&resolution->literal, port);
        loop_defer(resolver->loop, &resolution->tell);
        return resolution;
    }
    resolution->name = hold_host(resolver, host);
    TAILQ_INSERT_TAIL(&resolution->name->waiting, resolution, link);
    begin(resolution);
    return resolution;
}

void resolution_cancel(struct resolution *resolution)
{
    if (resolution)
        end_resolution(resolution);
}

void resolver_note_connected(struct resolver *resolver, const char *host,
                             const struct sockaddr *address)
{
    struct name *name = find_name(resolver, host, hash_of(host));

    if (!name)
        return;
    name->connected = ip_family_of(address);
    name->connected_until_ms = now_ms() + FAMILY_MEMORY_MS;
}

/* ---- the resolver ---- */

struct resolver *resolver_new(struct loop *loop, const struct settings *settings,
                              struct tally_names *counts)
{
    struct resolver *resolver = mem_alloc(1, sizeof(*resolver));

    resolver->loop = loop;
    resolver->counts = counts;
    resolver->dns = dns_new(loop, settings);
    resolver->delays = deadlines_new(loop, RESOLUTION_DELAY_MS);
    TAILQ_INIT(&resolver->unused);
    for (size_t i = 0; i < BUCKETS; i++)
        LIST_INIT(&resolver->buckets[i]);
    return resolver;
}

void resolver_free(struct resolver *resolver)
{
    if (!resolver)
        return;
    dns_free(resolver->dns);
    while (!TAILQ_EMPTY(&resolver->unused))
        free_name(TAILQ_FIRST(&resolver->unused));
    deadlines_free(resolver->delays);
    free(resolver);
}
