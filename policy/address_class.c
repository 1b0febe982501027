/* Sources: the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890, 8190 and what came
 * after), RFC 4291, 6052, 3056, 4380, and the clouds' own pages for their metadata addresses. */
#include "policy/address_class.h"

#include <arpa/inet.h>
#include <string.h>

enum { EMBEDS_NOTHING = -1 };

struct range {
    uint8_t bytes[16];
    uint8_t bits;
    enum address_class class;
    int ipv4_at; /* where the embedded IPv4 address begins, or EMBEDS_NOTHING */
};

/* The first row that fits decides. */
static const struct range ipv4[] = {
    { { 169, 254, 169, 254 }, 32, ADDRESS_METADATA, EMBEDS_NOTHING }, /* AWS, Google, Azure, ... */
    { { 169, 254, 170, 2 }, 32, ADDRESS_METADATA, EMBEDS_NOTHING },   /* AWS ECS tasks */
    { { 169, 254, 170, 23 }, 32, ADDRESS_METADATA, EMBEDS_NOTHING },  /* AWS EKS pods */
    { { 100, 100, 100, 200 }, 32, ADDRESS_METADATA, EMBEDS_NOTHING }, /* Alibaba */
    { { 168, 63, 129, 16 }, 32, ADDRESS_METADATA, EMBEDS_NOTHING },   /* Azure's wire server */
    { { 192, 0, 0, 192 }, 32, ADDRESS_METADATA, EMBEDS_NOTHING },     /* Oracle */
    { { 0 }, 32, ADDRESS_UNSPECIFIED, EMBEDS_NOTHING },
    { { 0 }, 8, ADDRESS_RESERVED, EMBEDS_NOTHING },
    { { 10 }, 8, ADDRESS_PRIVATE, EMBEDS_NOTHING },
    { { 100, 64 }, 10, ADDRESS_CGNAT, EMBEDS_NOTHING },
    { { 127 }, 8, ADDRESS_LOOPBACK, EMBEDS_NOTHING },
    { { 169, 254 }, 16, ADDRESS_LINK_LOCAL, EMBEDS_NOTHING },
    { { 172, 16 }, 12, ADDRESS_PRIVATE, EMBEDS_NOTHING },
    { { 192, 0, 0 }, 24, ADDRESS_RESERVED, EMBEDS_NOTHING },
    { { 192, 0, 2 }, 24, ADDRESS_DOCUMENTATION, EMBEDS_NOTHING },
    { { 192, 88, 99 }, 24, ADDRESS_RESERVED, EMBEDS_NOTHING },
    { { 192, 168 }, 16, ADDRESS_PRIVATE, EMBEDS_NOTHING },
    { { 198, 18 }, 15, ADDRESS_BENCHMARK, EMBEDS_NOTHING },
    { { 198, 51, 100 }, 24, ADDRESS_DOCUMENTATION, EMBEDS_NOTHING },
    { { 203, 0, 113 }, 24, ADDRESS_DOCUMENTATION, EMBEDS_NOTHING },
    { { 224 }, 4, ADDRESS_MULTICAST, EMBEDS_NOTHING },
    { { 255, 255, 255, 255 }, 32, ADDRESS_BROADCAST, EMBEDS_NOTHING },
    { { 240 }, 4, ADDRESS_RESERVED, EMBEDS_NOTHING },
    { { 0 }, 0, ADDRESS_PUBLIC, EMBEDS_NOTHING },
};

static const struct range ipv6[] = {
    { { 0 }, 128, ADDRESS_UNSPECIFIED, EMBEDS_NOTHING },
    { { [15] = 1 }, 128, ADDRESS_LOOPBACK, EMBEDS_NOTHING },
    { { [10] = 0xff, [11] = 0xff }, 96, ADDRESS_EMBEDDED, 12 },           /* mapped */
    { { [8] = 0xff, [9] = 0xff }, 96, ADDRESS_EMBEDDED, 12 },             /* translated (SIIT) */
    { { 0 }, 96, ADDRESS_EMBEDDED, 12 },                                  /* compatible */
    { { 0x00, 0x64, 0xff, 0x9b }, 96, ADDRESS_EMBEDDED, 12 },             /* NAT64 */
    { { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 }, 48, ADDRESS_EMBEDDED, 12 }, /* NAT64, local use */
    { { 0x20, 0x02 }, 16, ADDRESS_EMBEDDED, 2 },                          /* 6to4 */
    { { 0x20, 0x01 }, 32, ADDRESS_EMBEDDED, EMBEDS_NOTHING },             /* Teredo: scrambled */
    { { 0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54 }, 128, ADDRESS_METADATA, EMBEDS_NOTHING },
    { { 0xfd, 0x20, 0x00, 0xce, [14] = 0x02, [15] = 0x54 }, 128, ADDRESS_METADATA, EMBEDS_NOTHING },
    { { 0xfc }, 7, ADDRESS_PRIVATE, EMBEDS_NOTHING },
    { { 0xfe, 0xc0 }, 10, ADDRESS_PRIVATE, EMBEDS_NOTHING },
    { { 0xfe, 0x80 }, 10, ADDRESS_LINK_LOCAL, EMBEDS_NOTHING },
    { { 0xff }, 8, ADDRESS_MULTICAST, EMBEDS_NOTHING },
    { { 0x20, 0x01, 0x00, 0x02 }, 48, ADDRESS_BENCHMARK, EMBEDS_NOTHING },
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32, ADDRESS_DOCUMENTATION, EMBEDS_NOTHING },
    { { 0x3f, 0xff }, 20, ADDRESS_DOCUMENTATION, EMBEDS_NOTHING },
    { { 0x20, 0x01, 0x00, 0x00 }, 23, ADDRESS_RESERVED, EMBEDS_NOTHING },
    { { 0x20 }, 3, ADDRESS_PUBLIC, EMBEDS_NOTHING },
    { { 0 }, 0, ADDRESS_RESERVED, EMBEDS_NOTHING }, /* never given out */
};

static const struct range not_ip = { { 0 }, 0, ADDRESS_NOT_IP, EMBEDS_NOTHING };

static bool in_range(const uint8_t *bytes, const struct range *range)
{
    unsigned whole = range->bits / 8, rest = range->bits % 8;

    if (memcmp(bytes, range->bytes, whole) != 0)
        return false;
    return rest == 0 || ((bytes[whole] ^ range->bytes[whole]) >> (8 - rest)) == 0;
}

static const uint8_t *address_bytes(const struct sockaddr *address)
{
    const void *any = address;

    if (address->sa_family == AF_INET)
        return (const uint8_t *)&((const struct sockaddr_in *)any)->sin_addr;
    return ((const struct sockaddr_in6 *)any)->sin6_addr.s6_addr;
}

static const struct range *range_of(const struct sockaddr *address)
{
    const struct range *row;

    if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
        return &not_ip;
    row = address->sa_family == AF_INET ? ipv4 : ipv6;
    while (!in_range(address_bytes(address), row))
        row++; /* the last row fits everything */
    return row;
}

enum address_class address_classify(const struct sockaddr *address)
{
    return range_of(address)->class;
}

const char *address_class_name(enum address_class class)
{
    static const char *const names[] = {
        [ADDRESS_PUBLIC] = "public",
        [ADDRESS_UNSPECIFIED] = "unspecified",
        [ADDRESS_LOOPBACK] = "loopback",
        [ADDRESS_PRIVATE] = "private",
        [ADDRESS_LINK_LOCAL] = "link-local",
        [ADDRESS_METADATA] = "cloud metadata",
        [ADDRESS_CGNAT] = "carrier-grade NAT",
        [ADDRESS_MULTICAST] = "multicast",
        [ADDRESS_BROADCAST] = "broadcast",
        [ADDRESS_EMBEDDED] = "IPv4-in-IPv6",
        [ADDRESS_DOCUMENTATION] = "documentation",
        [ADDRESS_BENCHMARK] = "benchmark",
        [ADDRESS_RESERVED] = "reserved",
        [ADDRESS_NOT_IP] = "non-IP",
    };

    return names[class];
}

static bool covered(const struct sockaddr *address, const struct cidr *allow, size_t n_allow)
{
    for (size_t i = 0; i < n_allow; i++)
        if (cidr_covers(&allow[i], address))
            return true;
    return false;
}

bool address_allowed(const struct sockaddr *address, const struct cidr *allow, size_t n_allow)
{
    const struct range *range = range_of(address);
    struct sockaddr_in inner = { .sin_family = AF_INET };

    if (range->class == ADDRESS_PUBLIC)
        return true;
    if (!covered(address, allow, n_allow))
        return false;
    if (range->ipv4_at == EMBEDS_NOTHING)
        return true;
    memcpy(&inner.sin_addr, address_bytes(address) + range->ipv4_at, sizeof inner.sin_addr);
    return address_allowed((const struct sockaddr *)&inner, allow, n_allow);
}

bool address_of_literal(const char *literal, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, literal, &v4->sin_addr) == 1) {
        out->ss_family = AF_INET;
        return true;
    }
    out->ss_family = AF_INET6;
    return inet_pton(AF_INET6, literal, &v6->sin6_addr) == 1;
}
