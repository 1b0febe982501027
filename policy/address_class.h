/* policy/address_class.h - what kind of address a host really is.
 *
 * Whoever connects judges the address it connects to; a name says nothing. Only public addresses
 * are open by themselves, the rest needs --allow-address. Pure: nothing is resolved. */
#ifndef POLICY_ADDRESS_CLASS_H
#define POLICY_ADDRESS_CLASS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/address.h"

enum address_class {
    ADDRESS_PUBLIC,
    ADDRESS_UNSPECIFIED,
    ADDRESS_LOOPBACK,
    ADDRESS_PRIVATE, /* RFC 1918, unique local and site-local IPv6 */
    ADDRESS_LINK_LOCAL,
    ADDRESS_METADATA, /* where a cloud hands out credentials */
    ADDRESS_CGNAT,
    ADDRESS_MULTICAST,
    ADDRESS_BROADCAST,
    ADDRESS_EMBEDDED, /* IPv4 inside IPv6: mapped, translated, tunnelled */
    ADDRESS_DOCUMENTATION,
    ADDRESS_BENCHMARK,
    ADDRESS_RESERVED,
    ADDRESS_NOT_IP, /* neither IPv4 nor IPv6 */
};

enum address_class address_classify(const struct sockaddr *address);
const char *address_class_name(enum address_class class); /* "link-local" */

/* Public, or covered by one of `allow`. An IPv6 address that leads to an IPv4 address which is not
 * public needs the range of that address as well: a gateway is no way around the list. */
bool address_allowed(const struct sockaddr *address, const struct cidr *allow, size_t n_allow);

/* Reads an IPv4 or IPv6 literal without brackets or zone. */
bool address_of_literal(const char *literal, struct sockaddr_storage *out);

#endif
