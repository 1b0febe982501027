/* policy/destination.h - the one parser of targets, authorities and control headers.
 *
 * Turns what a client wrote into where the request goes: scheme, host and port in canonical form,
 * and the path and query byte for byte as they will be sent. Everything that is ambiguous is
 * refused here, so nobody behind this file ever parses a URL again. Sources: RFC 9112 section 3,
 * RFC 3986, WHATWG URL (IPv4 forms), docs/destinations.md. */
#ifndef POLICY_DESTINATION_H
#define POLICY_DESTINATION_H

#include <stdbool.h>
#include <stdint.h>

#include "config/address.h"
#include "config/text.h"

enum scheme { SCHEME_HTTP, SCHEME_HTTPS };

struct destination {
    enum scheme scheme; /* how we connect: SCHEME_HTTP only to a plaintext host */
    uint16_t port;
    uint16_t host_len;
    bool host_is_address;    /* an IPv4 or IPv6 literal */
    char host[HOST_MAX + 3]; /* canonical, NUL-terminated: lower case, no trailing dot, IPv6 without
                                brackets */
    struct text path;        /* begins with '/'; borrowed from the request, or a literal */
    struct text query;       /* behind the '?'; at == NULL when there is no '?' */
    bool asterisk; /* OPTIONS for the whole server: `*` is sent, and `path` is what is judged */
};

/* What the request says about its destination. at == NULL: that part was not sent. */
struct destination_request {
    struct text method;
    struct text target;
    struct text host;        /* value of Host */
    struct text proxy_to;    /* X-Vtex-Proxy-To */
    struct text remote_port; /* X-Vtex-Remote-Port */
    struct text use_https;   /* X-Vtex-Use-Https */
};

/* What the sidecar knows about itself. Borrowed by every call. */
struct destination_rules {
    const char *default_host; /* for requests addressed to the sidecar itself */
    char *const *plaintext_hosts;
    size_t n_plaintext_hosts;
    /* Our own addresses, as a client would write them in Host: loopback spellings are known by
     * themselves, these are the ports we listen on and the literal addresses off loopback. */
    const uint16_t *own_ports;
    size_t n_own_ports;
    const struct listen_address *own_addresses;
    size_t n_own_addresses;
};

enum destination_result {
    DESTINATION_OK,
    DESTINATION_BAD,     /* malformed or contradictory: 400 */
    DESTINATION_CONNECT, /* CONNECT, or TRACE: 405 */
};

/* Fills `out` on DESTINATION_OK; otherwise `*why` is a sentence (static storage) that names the
 * part at fault and what to do. `out` borrows path and query from `request->target`. */
enum destination_result destination_of(const struct destination_rules *rules,
                                       const struct destination_request *request,
                                       struct destination *out, const char **why);

/* Canonical form of a host as a person wrote it in a target, a header or a setting (no port):
 * IDNA by libidn2, case folded, trailing dot dropped, odd IPv4 forms and zones refused. */
bool host_canonical(struct text written, struct destination *out, const char **why);

/* "host" or "host:port" (port only if not the scheme's default), IPv6 in brackets: the value of
 * Host. Returns the length written; `out` holds at least AUTHORITY_MAX bytes. */
enum { AUTHORITY_MAX = HOST_MAX + 3 + 6 };
size_t destination_authority(const struct destination *destination, char out[AUTHORITY_MAX]);

#endif
