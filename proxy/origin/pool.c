#include "proxy/origin/pool_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "config/memory.h"
#include "proxy/tally.h"

/* ---- hosts ---- */

static uint32_t hash_of(const struct destination *destination)
{
    uint64_t end = destination->port | (uint64_t)destination->scheme << 16;

    return (uint32_t)text_hash(end, (struct text){ destination->host, destination->host_len });
}

static bool is_of(const struct pool_host *host, uint32_t hash,
                  const struct destination *destination)
{
    const struct destination *own = &host->destination;

    return host->hash == hash && own->port == destination->port &&
           own->scheme == destination->scheme && strcmp(own->host, destination->host) == 0;
}

static void free_host(struct pool_host *host)
{
    assert(host->n_open == 0);
    TAILQ_REMOVE(&host->pool->unused, host, age);
    LIST_REMOVE(host, bucket);
    host->pool->n_hosts--;
    name_watch_end(&host->name);
    tls_session_fini(&host->session);
    free(host);
}

static struct pool_host *find_host(struct pool *pool, const struct destination *destination)
{
    uint32_t hash = hash_of(destination);
    struct pool_host *host;

    LIST_FOREACH(host, &pool->buckets[hash % BUCKETS], bucket) {
        if (is_of(host, hash, destination))
            return host;
    }
    return NULL;
}

static void on_moved(struct name_watch *watch);

static struct pool_host *add_host(struct pool *pool, const struct destination *destination)
{
    struct pool_host *host = mem_alloc(1, sizeof(*host));

    if (pool->n_hosts >= LIMIT_POOL_HOSTS && !TAILQ_EMPTY(&pool->unused))
        free_host(TAILQ_FIRST(&pool->unused));
    host->pool = pool;
    host->hash = hash_of(destination);
    host->destination = *destination;
    host->destination.path = host->destination.query = TEXT_NONE;
    host->name.moved = on_moved;
    name_watch_begin(&host->name, pool->context->resolver,
                     origin_place(pool->context, destination).host);
    TAILQ_INIT(&host->idle);
    TAILQ_INIT(&host->warming);
    TAILQ_INSERT_TAIL(&pool->unused, host, age);
    LIST_INSERT_HEAD(&pool->buckets[host->hash % BUCKETS], host, bucket);
    pool->n_hosts++;
    return host;
}

static void count_opened(struct pool_host *host)
{
    if (host->n_open++ == 0)
        TAILQ_REMOVE(&host->pool->unused, host, age);
    host->pool->n_open++;
    host->pool->context->tally->connections_open++;
    host->pool->context->tally->connections_opened++;
}

static void count_closed(struct pool_host *host)
{
    host->pool->n_open--;
    host->pool->context->tally->connections_open--;
    if (--host->n_open == 0)
        TAILQ_INSERT_TAIL(&host->pool->unused, host, age);
}

/* ---- connections ---- */

static void free_pooled(struct job *job)
{
    free(CONTAINER_OF(job, struct pooled, job));
}

void pool_drop(struct pooled *pooled)
{
    if (!pooled)
        return;
    deadline_clear(&pooled->deadline);
    origin_close(pooled->origin);
    count_closed(pooled->host);
    pooled->job.run = free_pooled;
    loop_defer(pooled->host->pool->context->loop, &pooled->job);
}

static void leave_idle(struct pooled *pooled)
{
    TAILQ_REMOVE(&pooled->host->idle, pooled, link);
    TAILQ_REMOVE(&pooled->host->pool->idle, pooled, age);
    pooled->host->n_idle--;
    pooled->host->pool->n_idle--;
    pooled->host->pool->context->tally->connections_idle--;
    deadline_clear(&pooled->deadline);
}

static void close_idle(struct pooled *pooled)
{
    leave_idle(pooled);
    pool_drop(pooled);
}

/* Nobody has taken it, and it was as good as any. */
static void lose_idle(struct pooled *pooled)
{
    uint64_t age_us = loop_now_us() - origin_facts(pooled->origin).opened_us;

    close_idle(pooled);
    pool_warm_closed(pooled->host, age_us);
}

static void on_idle_io(void *arg)
{
    struct pooled *pooled = arg;

    if (!origin_is_quiet(pooled->origin))
        lose_idle(pooled);
}

static const struct origin_owner idle_owner = { .io = on_idle_io };

static void on_idle_deadline(struct deadline *deadline)
{
    lose_idle(CONTAINER_OF(deadline, struct pooled, deadline));
}

/* An idle connection to an address that the name has no more. Others end when they come back. */
static void on_moved(struct name_watch *watch)
{
    struct pool_host *host = CONTAINER_OF(watch, struct pool_host, name);
    struct pooled *pooled, *next;

    for (pooled = TAILQ_FIRST(&host->idle); pooled; pooled = next) {
        next = TAILQ_NEXT(pooled, link);
        if (!name_watch_covers(watch, origin_address(pooled->origin)))
            close_idle(pooled);
    }
}

static bool leads_there(struct pooled *pooled)
{
    const struct name_watch *name = &pooled->host->name;

    if (pooled->name_edition != name_watch_edition(name) &&
        !name_watch_covers(name, origin_address(pooled->origin)))
        return false;
    pooled->name_edition = name_watch_edition(name);
    return true;
}

static bool is_too_old(const struct pooled *pooled)
{
    uint64_t max_us = (uint64_t)pooled->host->pool->context->settings->pool_max_age_ms * 1000;

    return max_us && loop_now_us() - origin_facts(pooled->origin).opened_us >= max_us;
}

/* Neither its age, its certificate nor its name ends it. */
static bool may_serve(struct pooled *pooled)
{
    return origin_is_current(pooled->origin) && !is_too_old(pooled) && leads_there(pooled);
}

struct pooled *pool_take(struct pool *pool, const struct destination *destination,
                         const struct origin_owner *owner, void *arg)
{
    struct pool_host *host = find_host(pool, destination);
    struct pooled *pooled;

    if (host)
        name_watch_use(&host->name);
    while (host && (pooled = TAILQ_FIRST(&host->idle))) {
        leave_idle(pooled);
        if (may_serve(pooled) && origin_is_quiet_now(pooled->origin) &&
            !origin_holds_part(pooled->origin)) {
            pooled->reused = true;
            pool->context->tally->connections_reused++;
            origin_set_owner(pooled->origin, owner, arg);
            pool_warm_used(host);
            pool_warm_up(host);
            return pooled;
        }
        pool_drop(pooled);
    }
    return NULL;
}

struct pooled *pool_connect(struct pool_host *host, const struct origin_owner *owner, void *arg)
{
    struct pooled *pooled = mem_alloc(1, sizeof(*pooled));

    count_opened(host);
    pooled->host = host;
    pooled->deadline.passed = on_idle_deadline;
    pooled->name_edition = name_watch_edition(&host->name);
    pooled->origin = origin_open(host->pool->context, &host->destination, &host->session, owner,
                                 arg ? arg : pooled);
    return pooled;
}

struct pooled *pool_open(struct pool *pool, const struct destination *destination,
                         const struct origin_owner *owner, void *arg)
{
    struct pool_host *host = find_host(pool, destination);

    if (!host)
        host = add_host(pool, destination);
    struct pooled *pooled = pool_connect(host, owner, arg);
    pool_warm_used(host);
    return pooled;
}

void pool_give(struct pooled *pooled)
{
    struct pool_host *host = pooled->host;

    if (host->n_idle >= LIMIT_POOL_IDLE_PER_HOST || !may_serve(pooled) ||
        !origin_is_quiet(pooled->origin)) {
        pool_drop(pooled);
        return;
    }
    origin_set_owner(pooled->origin, &idle_owner, pooled);
    if (host->pool->n_idle >= host->pool->max_idle)
        close_idle(TAILQ_FIRST(&host->pool->idle));
    TAILQ_INSERT_HEAD(&host->idle, pooled, link);
    TAILQ_INSERT_TAIL(&host->pool->idle, pooled, age);
    host->n_idle++;
    host->pool->n_idle++;
    host->pool->context->tally->connections_idle++;
    deadline_set(host->pool->idle_deadlines, &pooled->deadline);
    pool_warm_up(host);
}

struct origin *pooled_origin(struct pooled *pooled)
{
    return pooled->origin;
}

bool pooled_is_reused(const struct pooled *pooled)
{
    return pooled->reused;
}

/* ---- the pool ---- */

/* A quarter of the descriptors: the rest is for clients and for work under way. */
static size_t idle_ceiling(unsigned n_loops)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur / 4 > LIMIT_POOL_IDLE)
        return LIMIT_POOL_IDLE / n_loops;
    return limit.rlim_cur / 4 / n_loops + 1;
}

struct pool *pool_new(const struct origin_context *context)
{
    struct pool *pool = mem_alloc(1, sizeof(*pool));

    pool->context = context;
    pool->idle_deadlines = deadlines_new(context->loop, context->settings->pool_idle_ms);
    pool->max_idle = idle_ceiling(context->n_loops ? context->n_loops : 1);
    TAILQ_INIT(&pool->unused);
    TAILQ_INIT(&pool->idle);
    for (size_t i = 0; i < BUCKETS; i++)
        LIST_INIT(&pool->buckets[i]);
    return pool;
}

static void close_all_idle(struct pool_host *host)
{
    struct pooled *pooled;

    while ((pooled = TAILQ_FIRST(&host->idle)))
        close_idle(pooled);
}

/* --connect-to may lead elsewhere now. Where it does, idle connections are found not to be covered. */
static void watch_anew(struct pool_host *host)
{
    name_watch_end(&host->name);
    name_watch_begin(&host->name, host->pool->context->resolver,
                     origin_place(host->pool->context, &host->destination).host);
}

void pool_apply_settings(struct pool *pool)
{
    struct pool_host *host;

    deadlines_set_length(pool->idle_deadlines, pool->context->settings->pool_idle_ms);
    for (size_t i = 0; i < BUCKETS; i++) {
        LIST_FOREACH(host, &pool->buckets[i], bucket)
            watch_anew(host);
    }
}

void pool_free(struct pool *pool)
{
    struct pool_host *host, *next;

    if (!pool)
        return;
    pool->ending = true;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (host = LIST_FIRST(&pool->buckets[i]); host; host = next) {
            next = LIST_NEXT(host, bucket);
            pool_warm_stop(host);
            close_all_idle(host);
            free_host(host);
        }
    }
    assert(pool->n_open == 0 && pool->n_hosts == 0);
    deadlines_free(pool->idle_deadlines);
    free(pool);
}
