/* proxy/origin/dns_negative.h - for how long "there is no such thing" may be believed (RFC 2308). Pure. */
#ifndef PROXY_ORIGIN_DNS_NEGATIVE_H
#define PROXY_ORIGIN_DNS_NEGATIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a response as it came from the network: the lesser of its SOA's own TTL and MINIMUM (section 5). False
 * if it has no SOA in its authority section, or is not well-formed as far as that. */
bool dns_negative_ttl(const uint8_t *message, size_t len, uint32_t *ttl_s);

#endif
