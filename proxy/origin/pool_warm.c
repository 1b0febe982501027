/* Connections opened ahead: --warm N keeps N of them ready for each host that a request went to lately, so that
 * the next one, also after a pause in which the kept ones have been closed, pays for no handshake. As any
 * connection they resolve and judge the address, and resume the session; no byte of a request is sent. What
 * fails is not tried again before the next request goes there. */
#include "proxy/limits.h"
#include "proxy/origin/pool_parts.h"

static void leave_warming(struct pooled *pooled)
{
    TAILQ_REMOVE(&pooled->host->warming, pooled, link);
    pooled->host->n_warming--;
}

static void on_ready(void *owner)
{
    leave_warming(owner);
    pool_give(owner);
}

static void on_failed(void *owner, enum outcome outcome, const char *detail)
{
    (void)outcome;
    (void)detail;
    leave_warming(owner);
    pool_drop(owner);
}

static void on_io(void *owner)
{
    (void)owner; /* it is ready before it can say anything */
}

static const struct origin_owner warm_owner = { on_ready, on_failed, on_io };

static bool wants_more(const struct pool_host *host)
{
    const struct pool *pool = host->pool;

    return host->n_idle + host->n_warming < pool->context->settings->warm &&
           host->n_idle + host->n_warming < LIMIT_POOL_IDLE_PER_HOST &&
           pool->n_idle + host->n_warming < pool->max_idle && !pool->ending;
}

static void open_ahead(struct pool_host *host)
{
    while (wants_more(host)) {
        struct pooled *pooled = pool_connect(host, &warm_owner, NULL);
        TAILQ_INSERT_TAIL(&host->warming, pooled, link);
        host->n_warming++;
    }
}

void pool_warm_used(struct pool_host *host)
{
    if (host->pool->context->settings->warm)
        host->used_ms = loop_now_ms(host->pool->context->loop);
}

/* Not before the first connection has come back: then there is a session to resume. */
void pool_warm_up(struct pool_host *host)
{
    if (host->used_ms && loop_now_ms(host->pool->context->loop) - host->used_ms < WARM_LATELY_MS)
        open_ahead(host);
}

/* An origin that closes at once does not want it. */
void pool_warm_closed(struct pool_host *host, uint64_t age_us)
{
    if (age_us >= WARM_AGE_MS * 1000ULL)
        pool_warm_up(host);
}

void pool_warm_stop(struct pool_host *host)
{
    struct pooled *pooled;

    while ((pooled = TAILQ_FIRST(&host->warming))) {
        leave_warming(pooled);
        pool_drop(pooled);
    }
}
