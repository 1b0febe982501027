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

enum listen_kind {
    LISTEN_TCP,  /* 127.0.0.1:8380, [::1]:8380; the host is a literal, port 0: the system chooses */
    LISTEN_UNIX, /* unix:PATH[,mode=OCTAL][,group=NAME] */
    LISTEN_SYSTEMD, /* systemd:NAME: sockets that the service manager hands over by that name */
};

enum {
    LISTEN_NAME_MAX = 255, /* FileDescriptorName= of systemd.socket(5) */
    LISTEN_GROUP_MAX = 32, /* useradd(8) */
    LISTEN_MODE_STANDARD = 0600,
};

struct listen_address {
    enum listen_kind kind;
    struct sockaddr_storage socket; /* not for LISTEN_SYSTEMD */
    socklen_t socket_len;
    bool loopback; /* 127.0.0.0/8, ::1, unix:; of systemd: nobody knows before it is taken over */
    unsigned mode; /* LISTEN_UNIX */
    char group[LISTEN_GROUP_MAX + 1]; /* LISTEN_UNIX: name or number; "": our own */
    char name[LISTEN_NAME_MAX + 1];   /* LISTEN_SYSTEMD */
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
/* The part of it for unix: and systemd: addresses. */
bool listen_local_parse(struct text text, struct listen_address *out, const char **why);
/* "mode=0660", "group=www": what follows the comma of a unix: address, and no address itself. */
bool listen_is_suffix(struct text text);
/* A name server: a literal address, 10.0.0.53, [fd00::53]:5353 or fd00::53; port 53 unless given. */
bool server_parse(struct text text, struct sockaddr_storage *out, const char **why);
bool cidr_parse(struct text text, struct cidr *out, const char **why);
bool connect_to_parse(struct text text, struct connect_to *out, const char **why);

/* True if `address` lies in `range`. An IPv4-mapped IPv6 address is judged as its IPv4 address. */
bool cidr_covers(const struct cidr *range, const struct sockaddr *address);

#endif
