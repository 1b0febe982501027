#include "proxy/origin/origin_context.h"

#include <strings.h>

#include "config/settings.h"
#include "policy/address_class.h"
#include "proxy/socket.h"

struct origin_place origin_place(const struct origin_context *context,
                                 const struct destination *destination)
{
    const struct settings *settings = context->settings;
    struct origin_place place = { destination->host, destination->port };

    for (size_t i = 0; i < settings->n_connect_to; i++) {
        const struct connect_to *rule = &settings->connect_to[i];
        if ((rule->host[0] && strcasecmp(rule->host, place.host) != 0) ||
            (rule->port && rule->port != place.port))
            continue;
        if (rule->to_host[0])
            place.host = rule->to_host;
        if (rule->to_port)
            place.port = rule->to_port;
        return place;
    }
    return place;
}

/* A listener on every address (0.0.0.0, ::) is behind all that are this machine's. */
static bool is_behind(const struct sockaddr *own, const struct sockaddr *address)
{
    if (address_port(own) != address_port(address))
        return false;
    return address_same_host(own, address) ||
           (address_classify(own) == ADDRESS_UNSPECIFIED && address_is_local(address));
}

static bool is_own_listener(const struct origin_context *context, const struct sockaddr *address)
{
    for (size_t i = 0; i < context->n_own; i++) {
        if (is_behind((const struct sockaddr *)&context->own[i], address))
            return true;
    }
    return false;
}

bool origin_may_connect(const struct origin_context *context, const struct sockaddr *address)
{
    return address_allowed(address, context->settings->allow_address,
                           context->settings->n_allow_address) &&
           !is_own_listener(context, address);
}
