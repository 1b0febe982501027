/* proxy/proxy_status.h - the Proxy-Status header (RFC 9209): who we are and what we have to say. */
#ifndef PROXY_PROXY_STATUS_H
#define PROXY_PROXY_STATUS_H

#include "proxy/http/buffer.h"

/* Adds "Proxy-Status: janus-sidecar; error=...; details="..."" as a line of its own; a line that an
 * origin sent stands before it and stays. `error` may be NULL, `details` empty: of any bytes, what a
 * quoted string cannot hold becomes '?'. */
void proxy_status_add(struct buffer *out, const char *error, struct text details);

#endif
