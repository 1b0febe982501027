/* proxy/origin/dns_sockets.h - the sockets of c-ares where we may not open every kind ourselves: UDP is ours, TCP (for
 * answers that were cut) comes from the helper, which judges the name server's address. */
#ifndef PROXY_ORIGIN_DNS_SOCKETS_H
#define PROXY_ORIGIN_DNS_SOCKETS_H

#include <ares.h>

struct helper;

/* `helper` is borrowed; NULL: nothing changes. */
void dns_use_helper(ares_channel channel, struct helper *helper);

#endif
