/* policy/authority.h - "host[:port]" as it stands in a target, in Host, or in a setting. */
#ifndef POLICY_AUTHORITY_H
#define POLICY_AUTHORITY_H

#include "policy/destination.h"

/* Fills the host fields of `out` and `*port` (0: none was named). User and password, an empty port
 * and ports outside 1..65535 are refused, with the reason in `why` (static storage). */
bool authority_parse(struct text written, struct destination *out, uint16_t *port,
                     const char **why);

/* A port number of 1 to 5 digits. */
bool port_parse(struct text digits, uint16_t *out);

#endif
