#include "proxy/origin/resolve.h"

#include <stdlib.h>

#include "config/memory.h"
#include "policy/address_class.h"
#include "proxy/origin/resolve_parts.h"
#include "proxy/socket.h"

/* ---- telling those who wait ---- */

static bool has_addresses(const struct resolution *resolution, enum ip_family family)
{
    const struct record *record = &resolution->name->records[family];

    return resolution->there[family] && !resolution->told[family] && record->outcome == DNS_FOUND;
}

/* Something can be said: all there is, or the addresses of one family while the other is asked for. */
static bool is_tellable(const struct resolution *resolution)
{
    if (resolution->there[IP_V6] && resolution->there[IP_V4])
        return true;
    return has_addresses(resolution, IP_V6) ||
           (has_addresses(resolution, IP_V4) &&
            (resolution->delayed || name_first_family(resolution->name) == IP_V4));
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
    struct resolution *resolution = CONTAINER_OF(deadline, struct resolution, delay);

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
    found->first = name_first_family(resolution->name);
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
        name_unhold(resolution->name);
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
    struct resolution *resolution = CONTAINER_OF(job, struct resolution, tell);

    if (resolution->name)
        tell_name(resolution);
    else
        tell_literal(resolution);
}

void name_tell(struct name *name, enum ip_family family)
{
    struct resolution *resolution;

    TAILQ_FOREACH(resolution, &name->waiting, link) {
        resolution->there[family] = true;
        look_at(resolution);
    }
}

/* ---- resolving ---- */

/* What is fresh is for him; what is not is asked for, unless somebody has. */
static void begin(struct resolution *resolution)
{
    struct name *name = resolution->name;
    struct tally_names *counts = name->resolver->counts;
    uint64_t now = resolver_now_ms();
    bool known = true, joins = true;

    for (size_t i = 0; i < N_IP_FAMILIES; i++) {
        resolution->there[i] = record_is_fresh(&name->records[i], now);
        known = known && resolution->there[i];
        joins = joins && (resolution->there[i] || name->records[i].asking);
    }
    counts->asked++;
    counts->hits += known;
    counts->joined += joins && !known;
    if (known)
        name->used = true;
    else if (!joins)
        name_ask(name);
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
    resolution->name = name_hold(resolver, host);
    TAILQ_INSERT_TAIL(&resolution->name->waiting, resolution, link);
    begin(resolution);
    return resolution;
}

void resolution_cancel(struct resolution *resolution)
{
    if (resolution)
        end_resolution(resolution);
}
