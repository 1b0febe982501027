/* proxy/origin/ip.h - addresses without ports, as answers about names hold them. */
#ifndef PROXY_ORIGIN_IP_H
#define PROXY_ORIGIN_IP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum ip_family { IP_V6, IP_V4, N_IP_FAMILIES };

struct ip {
    uint8_t bytes[16]; /* of IPv4 the first four; the rest is zero */
};

static inline bool ip_eq(const struct ip *a, const struct ip *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static inline enum ip_family ip_family_of(const struct sockaddr *address)
{
    return address->sa_family == AF_INET6 ? IP_V6 : IP_V4;
}

static inline struct ip ip_of_sockaddr(const struct sockaddr *address)
{
    struct ip ip = { { 0 } };

    if (address->sa_family == AF_INET6)
        memcpy(ip.bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
    else
        memcpy(ip.bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    return ip;
}

static inline void ip_to_sockaddr(const struct ip *ip, enum ip_family family, uint16_t port,
                                  struct sockaddr_storage *out)
{
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };

    memset(out, 0, sizeof(*out));
    memcpy(&v6.sin6_addr, ip->bytes, 16);
    memcpy(&v4.sin_addr, ip->bytes, 4);
    if (family == IP_V6)
        memcpy(out, &v6, sizeof(v6));
    else
        memcpy(out, &v4, sizeof(v4));
}

#endif
