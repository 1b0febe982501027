/* config/address.h - addresses as people write them in settings.
 *
 * Pure parsing: nothing is resolved and no socket is opened. Every function returns false and
 * fills `why` (a sentence fragment, static storage) when the text is not of that form. */
#ifndef CONFIG_ADDRESS_H
#define CONFIG_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "config/text.h"

enum { HOST_MAX = 253 }; /* octets of a name in presentation form (RFC 1035, 3.1) */

/* 127.0.0.1:8380, [::1]:8380. The host is a literal; port 0 lets the system choose. */
struct listen_address {
    struct sockaddr_storage socket;
    socklen_t socket_len;
    bool loopback; /* 127.0.0.0/8 or ::1 */
};

/* 10.0.0.0/8, fd00::/8, or one address without a length. */
struct cidr {
    sa_family_t family;
    uint8_t bytes[16];
    unsigned bits;
};

/* curl's HOST:PORT:ADDR:PORT. Empty parts match any (host "" and port 0) or keep what was asked. */
struct connect_to {
    char host[HOST_MAX + 1];
    uint16_t port;
    char to_host[HOST_MAX + 1]; /* name or literal, IPv6 without brackets */
    uint16_t to_port;
};

bool listen_address_parse(struct text text, struct listen_address *out, const char **why);
bool cidr_parse(struct text text, struct cidr *out, const char **why);
bool connect_to_parse(struct text text, struct connect_to *out, const char **why);

/* True if `address` lies in `range`. An IPv4-mapped IPv6 address is judged as its IPv4 address. */
bool cidr_covers(const struct cidr *range, const struct sockaddr *address);

#endif
