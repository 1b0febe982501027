#include "proxy/sidecar_origins.h"

#include <stdlib.h>

#include "config/memory.h"
#include "proxy/loop.h"
#include "proxy/origin/circuit.h"
#include "proxy/origin/resolve.h"
#include "proxy/tally.h"

struct origins {
    struct resolver *resolver;
    struct deadlines *connecting, *attempts;
    struct deadlines *resolving, *reaching, *shaking_hands;
    struct circuits *circuits;
    struct origin_context context;
    struct pool *pool;
};

struct origins *origins_new(struct loop *loop, struct log *log, const struct settings *settings,
                            const struct tls *tls, const struct sockaddr_storage *own, size_t n_own,
                            unsigned n_loops, struct helper *helper, struct tally *tally)
{
    struct origins *origins = mem_alloc(1, sizeof(*origins));

    origins->resolver = resolver_new(loop, settings, helper, &tally->names);
    origins->connecting = deadlines_new(loop, settings->connect_ms);
    origins->attempts = deadlines_new(loop, CONNECT_ATTEMPT_MS);
    origins->resolving = deadlines_new(loop, settings->dns_ms);
    origins->reaching = deadlines_new(loop, settings->tcp_ms);
    origins->shaking_hands = deadlines_new(loop, settings->tls_ms);
    origins->circuits = circuits_new(settings->circuit_failures);
    origins->context = (struct origin_context){ .loop = loop,
                                                .resolver = origins->resolver,
                                                .tls = tls,
                                                .settings = settings,
                                                .attempts = origins->attempts,
                                                .connecting = origins->connecting,
                                                .resolving = origins->resolving,
                                                .reaching = origins->reaching,
                                                .shaking_hands = origins->shaking_hands,
                                                .own = own,
                                                .n_own = n_own,
                                                .circuits = origins->circuits,
                                                .n_loops = n_loops,
                                                .helper = helper,
                                                .log = log,
                                                .tally = tally };
    origins->pool = pool_new(&origins->context);
    return origins;
}

struct pool *origins_pool(const struct origins *origins)
{
    return origins->pool;
}

void origins_apply_settings(struct origins *origins)
{
    const struct settings *settings = origins->context.settings;

    deadlines_set_length(origins->connecting, settings->connect_ms);
    deadlines_set_length(origins->resolving, settings->dns_ms);
    deadlines_set_length(origins->reaching, settings->tcp_ms);
    deadlines_set_length(origins->shaking_hands, settings->tls_ms);
    pool_apply_settings(origins->pool);
}

unsigned origins_n_circuits_open(const struct origins *origins)
{
    return circuits_n_open(origins->circuits);
}

void origins_silence(struct origins *origins)
{
    pool_free(origins->pool);
    origins->pool = NULL;
}

void origins_free(struct origins *origins)
{
    if (!origins)
        return;
    resolver_free(origins->resolver);
    circuits_free(origins->circuits);
    deadlines_free(origins->connecting);
    deadlines_free(origins->attempts);
    deadlines_free(origins->resolving);
    deadlines_free(origins->reaching);
    deadlines_free(origins->shaking_hands);
    free(origins);
}
