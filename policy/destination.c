/* From the bytes of a request to one place.
 *
 *   target ----------> scheme, authority, path, query
 *     origin-form:       Host names the authority; ourselves there -> default host
 *     absolute-form:     the target names it, Host may only agree; ourselves there -> default host
 *   X-Vtex-Proxy-To -> scheme, authority     (its path must be the request's, or empty)
 *   X-Vtex-Remote-Port -> port
 *   X-Vtex-Use-Https -> TLS even to a plaintext host
 *   OPTIONS * ------> the whole server (take_whole_server)
 *   settle ----------> TLS on 443 unless a port was named; plain HTTP to a plaintext host only
 *
 * "http" and port 80 say nothing about how we connect: the clients write them because the
 * platform's proxy listens there. So 80 that came with http counts as "no port named". */
#include "policy/destination.h"

#include <arpa/inet.h>

#include "policy/authority.h"

enum { PORT_HTTP = 80, PORT_HTTPS = 443 };

/* What is known so far; the host is already in the destination. */
struct aim {
    enum scheme scheme;
    uint16_t port; /* 0: none was named */
    bool tls;      /* X-Vtex-Use-Https: true */
};

struct url {
    enum scheme scheme;
    struct text authority, path, query; /* path may be empty; query.at == NULL without '?' */
};

static bool starts_nocase(struct text whole, struct text start)
{
    return whole.len >= start.len && text_eq_nocase((struct text){ whole.at, start.len }, start);
}

static size_t length_until(struct text value, char stop)
{
    const char *found = value.len > 0 ? memchr(value.at, stop, value.len) : NULL;

    return found ? (size_t)(found - value.at) : value.len;
}

static struct text text_from(struct text value, size_t skip)
{
    return (struct text){ value.at + skip, value.len - skip };
}

/* Splits "path?query". */
static void split_query(struct text whole, struct text *path, struct text *query)
{
    size_t mark = length_until(whole, '?');

    *path = (struct text){ whole.at, mark };
    *query = mark < whole.len ? text_from(whole, mark + 1) : TEXT_NONE;
}

static bool split_url(struct text whole, struct url *out)
{
    size_t slash, mark, end;

    if (starts_nocase(whole, TEXT("http://")))
        out->scheme = SCHEME_HTTP;
    else if (starts_nocase(whole, TEXT("https://")))
        out->scheme = SCHEME_HTTPS;
    else
        return false;
    whole = text_from(whole, out->scheme == SCHEME_HTTP ? 7 : 8);
    slash = length_until(whole, '/');
    mark = length_until(whole, '?');
    end = slash < mark ? slash : mark;
    out->authority = (struct text){ whole.at, end };
    split_query(text_from(whole, end), &out->path, &out->query);
    return true;
}

/* No blanks, controls or fragment: they are not part of any target (RFC 9112, 3.2). */
static const char *bad_byte(struct text value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.at[i];

        if (c <= 0x20 || c == 0x7f)
            return "the target holds a blank or a control character; percent-encode it";
        if (c == '#')
            return "the target holds '#'; a fragment is never sent, encode the sign as %23";
    }
    return NULL;
}

static uint16_t usual_port(enum scheme scheme)
{
    return scheme == SCHEME_HTTPS ? PORT_HTTPS : PORT_HTTP;
}

static uint16_t port_unless_usual_http(const struct aim *aim)
{
    return aim->scheme == SCHEME_HTTP && aim->port == PORT_HTTP ? 0 : aim->port;
}

/* ---- requests addressed to ourselves ---- */

static bool same_address(const struct destination *where, const struct listen_address *own)
{
    const struct sockaddr_storage *socket = &own->socket;
    char printed[INET6_ADDRSTRLEN];
    const void *bytes;

    if (socket->ss_family == AF_INET)
        bytes = &((const struct sockaddr_in *)socket)->sin_addr;
    else if (socket->ss_family == AF_INET6)
        bytes = &((const struct sockaddr_in6 *)socket)->sin6_addr;
    else
        return false;
    return inet_ntop(socket->ss_family, bytes, printed, sizeof printed) &&
           strcmp(printed, where->host) == 0;
}

static bool is_own_host(const struct destination_rules *rules, const struct destination *where)
{
    struct text host = { where->host, where->host_len };

    if (text_eq(host, TEXT("localhost")))
        return true;
    if (!where->host_is_address)
        return false;
    if (text_starts(host, TEXT("127.")) || text_eq(host, TEXT("::1")))
        return true;
    for (size_t i = 0; i < rules->n_own_addresses; i++)
        if (same_address(where, &rules->own_addresses[i]))
            return true;
    return false;
}

static bool is_ourselves(const struct destination_rules *rules, const struct destination *where,
                         const struct aim *aim)
{
    uint16_t port = aim->port ? aim->port : usual_port(aim->scheme);

    if (!is_own_host(rules, where))
        return false;
    for (size_t i = 0; i < rules->n_own_ports; i++)
        if (rules->own_ports[i] == port)
            return true;
    return false;
}

static bool take_default_host(const struct destination_rules *rules, struct destination *out,
                              struct aim *aim, const char **why)
{
    const char *ignored;

    *aim = (struct aim){ .scheme = SCHEME_HTTPS };
    if (rules->default_host && host_canonical(text_of(rules->default_host), out, &ignored))
        return true;
    *why =
        "the request is addressed to the sidecar itself, and --default-host names no usable host";
    return false;
}

/* ---- the two forms of target ---- */

static bool from_host(const struct destination_rules *rules,
                      const struct destination_request *request, struct destination *out,
                      struct aim *aim, const char **why)
{
    if (request->host.len == 0) {
        *why = "there is no Host, and the target names no host either";
        return false;
    }
    aim->scheme = SCHEME_HTTP;
    if (!authority_parse(request->host, out, &aim->port, why))
        return false;
    split_query(request->target, &out->path, &out->query);
    return !is_ourselves(rules, out, aim) || take_default_host(rules, out, aim, why);
}

/* RFC 9112 3.2.2 lets the target win; a Host that says otherwise is a request with two meanings. */
static bool host_agrees(struct text host, const struct destination *where, const struct aim *aim,
                        const char **why)
{
    uint16_t usual = usual_port(aim->scheme), port;
    struct destination named;

    if (!host.at)
        return true;
    if (!authority_parse(host, &named, &port, why))
        return false;
    if (strcmp(named.host, where->host) == 0 &&
        (port ? port : usual) == (aim->port ? aim->port : usual))
        return true;
    *why = "Host names another place than the target; send the same, or none";
    return false;
}

static bool from_target(const struct destination_rules *rules,
                        const struct destination_request *request, struct destination *out,
                        struct aim *aim, const char **why)
{
    struct url url;

    if (!split_url(request->target, &url)) {
        *why = "the target is neither a path nor an http:// or https:// URL";
        return false;
    }
    aim->scheme = url.scheme;
    if (!authority_parse(url.authority, out, &aim->port, why) ||
        !host_agrees(request->host, out, aim, why))
        return false;
    out->path = url.path.len > 0 ? url.path : TEXT("/");
    out->query = url.query;
    return !is_ourselves(rules, out, aim) || take_default_host(rules, out, aim, why);
}

/* `OPTIONS *`, or OPTIONS for a URL with neither path nor query, which is the same (RFC 9112, 3.2.4). It is
 * about the whole server, so a policy must be about all of it: "/" and a star of its own is a path that
 * only such a one matches. */
static bool is_asterisk(const struct destination_request *request)
{
    struct url url;

    if (!text_eq(request->method, TEXT("OPTIONS")))
        return false;
    return text_eq(request->target, TEXT("*")) ||
           (split_url(request->target, &url) && url.path.len == 0 && !url.query.at);
}

static void take_whole_server(struct destination *out)
{
    out->asterisk = true;
    out->path = TEXT("/*");
    out->query = TEXT_NONE;
}

/* ---- the platform's control headers ---- */

static bool apply_proxy_to(struct text value, struct destination *out, struct aim *aim,
                           const char **why)
{
    struct url url;

    if (!value.at)
        return true;
    value = text_trim(value);
    if (bad_byte(value) || !split_url(value, &url)) {
        *why = "X-Vtex-Proxy-To is no http:// or https:// URL, or holds a blank, a control "
               "character or '#'";
        return false;
    }
    if (url.path.len > 0 && !text_eq(url.path, out->path)) {
        *why = "the path in X-Vtex-Proxy-To differs from the request's; send the same, or none";
        return false;
    }
    aim->scheme = url.scheme;
    return authority_parse(url.authority, out, &aim->port, why);
}

static bool apply_remote_port(struct text value, struct aim *aim, const char **why)
{
    if (!value.at)
        return true;
    if (!port_parse(text_trim(value), &aim->port)) {
        *why = "X-Vtex-Remote-Port is not a number from 1 to 65535";
        return false;
    }
    if (aim->port == PORT_HTTP)
        aim->port = 0;
    return true;
}

static bool apply_use_https(struct text value, struct aim *aim, const char **why)
{
    if (!value.at)
        return true;
    value = text_trim(value);
    aim->tls = text_eq_nocase(value, TEXT("true"));
    if (aim->tls || text_eq_nocase(value, TEXT("false")))
        return true;
    *why = "X-Vtex-Use-Https is neither true nor false";
    return false;
}

/* ---- how we connect ---- */

static bool is_plaintext_host(const struct destination_rules *rules,
                              const struct destination *where, uint16_t port)
{
    for (size_t i = 0; i < rules->n_plaintext_hosts; i++) {
        struct destination entry;
        uint16_t only;
        const char *ignored;

        if (authority_parse(text_of(rules->plaintext_hosts[i]), &entry, &only, &ignored) &&
            strcmp(entry.host, where->host) == 0 && (only == 0 || only == port))
            return true;
    }
    return false;
}

static void settle(const struct destination_rules *rules, const struct aim *aim,
                   struct destination *out)
{
    uint16_t port = aim->port ? aim->port : PORT_HTTP;

    if (aim->scheme == SCHEME_HTTP && !aim->tls && is_plaintext_host(rules, out, port)) {
        out->scheme = SCHEME_HTTP;
        out->port = port;
        return;
    }
    out->scheme = SCHEME_HTTPS;
    out->port = aim->port ? aim->port : PORT_HTTPS;
}

static bool find(const struct destination_rules *rules, const struct destination_request *request,
                 struct destination *out, const char **why)
{
    struct aim aim = { .scheme = SCHEME_HTTPS };
    bool asterisk = is_asterisk(request);
    bool named_by_host = (request->target.len > 0 && request->target.at[0] == '/') ||
                         (asterisk && request->target.len == 1);

    *why = bad_byte(request->target);
    if (*why)
        return false;
    if (!(named_by_host ? from_host : from_target)(rules, request, out, &aim, why))
        return false;
    if (asterisk)
        take_whole_server(out);
    if (!apply_proxy_to(request->proxy_to, out, &aim, why))
        return false;
    aim.port = port_unless_usual_http(&aim);
    if (!apply_remote_port(request->remote_port, &aim, why) ||
        !apply_use_https(request->use_https, &aim, why))
        return false;
    settle(rules, &aim, out);
    return true;
}

enum destination_result destination_of(const struct destination_rules *rules,
                                       const struct destination_request *request,
                                       struct destination *out, const char **why)
{
    *out = (struct destination){ 0 };
    if (text_eq_nocase(request->method, TEXT("CONNECT"))) {
        *why =
            "CONNECT would hide the request from the sidecar; set VTEX_IO=true so that the clients "
            "use http:// bases, and leave the TLS to the sidecar";
        return DESTINATION_CONNECT;
    }
    if (text_eq_nocase(request->method, TEXT("TRACE"))) {
        *why = "TRACE would send the request back with the token in it; use another method";
        return DESTINATION_CONNECT;
    }
    return find(rules, request, out, why) ? DESTINATION_OK : DESTINATION_BAD;
}
