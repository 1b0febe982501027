#include "proxy/origin/resolve.h"

#include <event2/dns.h>
#include <event2/util.h>
#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/memory.h"
#include "policy/address_class.h"
#include "proxy/loop.h"
#include "proxy/socket.h"

struct resolver {
    struct loop *loop;
    struct evdns_base *dns;
};

/* evdns may call back at once (a literal, the hosts file) or after a cancellation: what it says is
 * kept and told by a job, and the memory stays until it has spoken. */
struct resolution {
    struct resolver *resolver;
    struct evdns_getaddrinfo_request *request; /* NULL once evdns has spoken */
    resolved *done;
    void *context;
    struct job tell;
    struct addresses found;
    const char *why;
    bool cancelled, spoken;
};

struct resolver *resolver_new(struct loop *loop)
{
    struct resolver *resolver = mem_alloc(1, sizeof(*resolver));

    resolver->loop = loop;
    resolver->dns = evdns_base_new(loop_base(loop), EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    /* No name server is no reason not to start: literals and the hosts file still work. */
    evdns_base_resolv_conf_parse(resolver->dns, DNS_OPTIONS_ALL, "/etc/resolv.conf");
    evdns_base_search_clear(resolver->dns);
    return resolver;
}

void resolver_free(struct resolver *resolver)
{
    if (!resolver)
        return;
    evdns_base_free(resolver->dns, 0);
    free(resolver);
}

static void on_tell(struct job *job)
{
    struct resolution *resolution =
        (struct resolution *)(void *)((char *)job - offsetof(struct resolution, tell));

    if (!resolution->cancelled)
        resolution->done(resolution->context, &resolution->found, resolution->why);
    free(resolution);
}

static void keep_addresses(struct addresses *found, const struct evutil_addrinfo *list)
{
    for (; list && found->n < LIMIT_ADDRESSES; list = list->ai_next) {
        if (list->ai_addrlen <= sizeof(found->items[0]))
            memcpy(&found->items[found->n++], list->ai_addr, list->ai_addrlen);
    }
}

static void on_answer(int error, struct evutil_addrinfo *list, void *arg)
{
    struct resolution *resolution = arg;

    resolution->spoken = true;
    resolution->request = NULL;
    if (error)
        resolution->why = evutil_gai_strerror(error);
    else
        keep_addresses(&resolution->found, list);
    if (list)
        evutil_freeaddrinfo(list);
    loop_defer(resolution->resolver->loop, &resolution->tell);
}

/* A literal is its own answer: with AI_ADDRCONFIG evdns would send it to the name server. */
static bool is_literal(const char *host, uint16_t port, struct addresses *found)
{
    if (!address_of_literal(host, &found->items[0]))
        return false;
    address_set_port((struct sockaddr *)&found->items[0], port);
    found->n = 1;
    return true;
}

struct resolution *resolve(struct resolver *resolver, const char *host, uint16_t port,
                           resolved *done, void *context)
{
    struct resolution *resolution = mem_alloc(1, sizeof(*resolution));
    struct evutil_addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    char service[8];

    resolution->resolver = resolver;
    resolution->done = done;
    resolution->context = context;
    resolution->tell.run = on_tell;
    resolution->why = "the name has no address";
    if (is_literal(host, port, &resolution->found)) {
        loop_defer(resolver->loop, &resolution->tell);
        return resolution;
    }
    snprintf(service, sizeof(service), "%u", port);
    hints.ai_flags = EVUTIL_AI_NUMERICSERV | EVUTIL_AI_ADDRCONFIG;
    struct evdns_getaddrinfo_request *request =
        evdns_getaddrinfo(resolver->dns, host, service, &hints, on_answer, resolution);
    if (!resolution->spoken)
        resolution->request = request;
    return resolution;
}

void resolution_cancel(struct resolution *resolution)
{
    if (!resolution)
        return;
    resolution->cancelled = true;
    if (resolution->request)
        evdns_getaddrinfo_cancel(resolution->request);
}
