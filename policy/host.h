/* policy/host.h - the parts of a host name, for those who compile patterns of them.
 *
 * host_canonical() in policy/destination.h is the whole; this is one label of it. */
#ifndef POLICY_HOST_H
#define POLICY_HOST_H

#include <stdbool.h>

#include "config/text.h"

enum { LABEL_MAX = 63 }; /* octets (RFC 1035, 2.3.4) */

/* Letters, digits, '-', '_' and '.': what a name is made of, and what `*` in a host stands for. */
bool host_is_name_byte(char c);

/* Canonical form of one label: lower case, or its A-label when it holds other than ASCII. False
 * with the reason in `why` (static storage) when it is empty, too long, or not a label. */
bool host_label_canonical(struct text written, char out[LABEL_MAX + 1], const char **why);

/* The last label is a number to a browser or to inet_aton(), so the host means an IPv4 address. */
bool host_ends_in_number(struct text canonical);

/* localhost and what lies under it: loopback by definition (RFC 6761, 6.3). */
bool host_is_localhost(struct text canonical);

#endif
