#include "config/address.h"

#include <arpa/inet.h>

static const uint8_t mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static bool refuse(const char **why, const char *reason)
{
    *why = reason;
    return false;
}

/* inet_pton() for a span. A NUL or a zone ("%eth0") inside is refused by its own rules or by us. */
static bool parse_literal(int family, struct text text, void *out)
{
    char buffer[INET6_ADDRSTRLEN];

    if (text.len == 0 || text.len >= sizeof(buffer) || memchr(text.at, '\0', text.len))
        return false;
    memcpy(buffer, text.at, text.len);
    buffer[text.len] = '\0';
    return inet_pton(family, buffer, out) == 1;
}

static bool parse_port(struct text digits, uint16_t *out)
{
    unsigned long long value;

    if (digits.len > 5 || !text_to_uint(digits, UINT16_MAX, &value))
        return false;
    *out = (uint16_t)value;
    return true;
}

/* Cuts `rest` at its first `mark`; `part` is what stood before it. */
static bool cut(struct text *rest, char mark, struct text *part)
{
    const char *at = rest->len > 0 ? memchr(rest->at, mark, rest->len) : NULL;

    if (!at)
        return false;
    *part = text_span(rest->at, at);
    *rest = text_span(at + 1, rest->at + rest->len);
    return true;
}

static bool listen_v6(struct text host, uint16_t port, struct listen_address *out)
{
    struct sockaddr_in6 socket = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

    if (!parse_literal(AF_INET6, host, &socket.sin6_addr))
        return false;
    out->loopback = IN6_IS_ADDR_LOOPBACK(&socket.sin6_addr);
    out->socket_len = sizeof(socket);
    memcpy(&out->socket, &socket, sizeof(socket));
    return true;
}

static bool listen_v4(struct text host, uint16_t port, struct listen_address *out)
{
    struct sockaddr_in socket = { .sin_family = AF_INET, .sin_port = htons(port) };

    if (!parse_literal(AF_INET, host, &socket.sin_addr))
        return false;
    out->loopback = ntohl(socket.sin_addr.s_addr) >> 24 == 127;
    out->socket_len = sizeof(socket);
    memcpy(&out->socket, &socket, sizeof(socket));
    return true;
}

static bool listen_bracketed(struct text text, struct listen_address *out, const char **why)
{
    struct text rest = { text.at + 1, text.len - 1 }, host;
    uint16_t port;

    if (!cut(&rest, ']', &host))
        return refuse(why, "the closing bracket is missing: write [::1]:8380");
    if (rest.len == 0 || rest.at[0] != ':' ||
        !parse_port((struct text){ rest.at + 1, rest.len - 1 }, &port))
        return refuse(why, "a port from 0 to 65535 must follow the bracket: write [::1]:8380");
    if (!listen_v6(host, port, out))
        return refuse(why, "what stands in the brackets is not an IPv6 address");
    return true;
}

bool listen_address_parse(struct text text, struct listen_address *out, const char **why)
{
    struct text host, rest = text;
    uint16_t port;

    *out = (struct listen_address){ 0 };
    if (text_starts(text, TEXT("unix:")) || text_starts(text, TEXT("systemd:")))
        return listen_local_parse(text, out, why);
    if (text.len > 0 && text.at[0] == '[')
        return listen_bracketed(text, out, why);
    if (!cut(&rest, ':', &host))
        return refuse(why, "address and port are both needed: write 127.0.0.1:8380");
    if (rest.len > 0 && memchr(rest.at, ':', rest.len))
        return refuse(why, "an IPv6 address needs brackets: write [::1]:8380");
    if (!parse_port(rest, &port))
        return refuse(why, "the port must be a number from 0 to 65535");
    if (!listen_v4(host, port, out))
        return refuse(why, "the host must be a literal address, not a name: write 127.0.0.1:8380");
    return true;
}

bool server_parse(struct text text, struct sockaddr_storage *out, const char **why)
{
    enum { PORT_DNS = 53 };
    struct text host = text, rest = text;
    struct listen_address address = { 0 };
    uint16_t port = PORT_DNS;
    bool v4 = !text.len || !memchr(text.at, ':', text.len) ||
              memchr(text.at, ':', text.len) == memrchr(text.at, ':', text.len);

    *why =
        "this is not a name server's address: write 10.0.0.53, 10.0.0.53:5353 or [fd00::53]:5353";
    if (text.len && text.at[0] == '[') {
        rest = (struct text){ text.at + 1, text.len - 1 };
        if (!cut(&rest, ']', &host) || (rest.len && rest.at[0] != ':'))
            return false;
        if (rest.len && (!parse_port((struct text){ rest.at + 1, rest.len - 1 }, &port) || !port))
            return false;
        v4 = false;
    } else if (v4 && cut(&rest, ':', &host) && (!parse_port(rest, &port) || !port)) {
        return false;
    }
    if (v4 ? !listen_v4(host, port, &address) : !listen_v6(host, port, &address))
        return false;
    *out = address.socket;
    return true;
}

/* An IPv4 range written as IPv4-mapped IPv6 is kept as IPv4, because that is how it is judged. */
static void unmap(struct cidr *range)
{
    if (range->family != AF_INET6 || range->bits < 96 ||
        memcmp(range->bytes, mapped_prefix, sizeof(mapped_prefix)) != 0)
        return;
    memmove(range->bytes, range->bytes + sizeof(mapped_prefix), 4);
    memset(range->bytes + 4, 0, sizeof(range->bytes) - 4);
    range->family = AF_INET;
    range->bits -= 96;
}

static bool bits_match(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned rest = bits % 8;

    if (memcmp(a, b, bits / 8) != 0)
        return false;
    return rest == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - rest) == 0;
}

/* 10.0.0.1/8 is more likely a slip than a range: one of the two halves is not what was meant. */
static bool has_host_bits(const struct cidr *range, unsigned width)
{
    for (unsigned bit = range->bits; bit < width; bit++)
        if (range->bytes[bit / 8] & (0x80 >> bit % 8))
            return true;
    return false;
}

bool cidr_parse(struct text text, struct cidr *out, const char **why)
{
    struct text address = text, rest = text;
    bool with_length = cut(&rest, '/', &address);
    unsigned long long bits;
    unsigned width;

    *out = (struct cidr){ 0 };
    if (parse_literal(AF_INET, address, out->bytes))
        out->family = AF_INET;
    else if (parse_literal(AF_INET6, address, out->bytes))
        out->family = AF_INET6;
    else
        return refuse(why, "this is not an address range: write 10.0.0.0/8 or fd00::/8");

    bits = width = out->family == AF_INET ? 32 : 128;
    if (with_length && (rest.len > 3 || !text_to_uint(rest, width, &bits)))
        return refuse(why,
                      "the length after / must be a number, at most 32 for IPv4, 128 for IPv6");
    out->bits = (unsigned)bits;
    if (has_host_bits(out, width))
        return refuse(why, "the address has bits set behind its length: write 10.0.0.0/8, or the "
                           "address without a length");
    unmap(out);
    return true;
}

bool cidr_covers(const struct cidr *range, const struct sockaddr *address)
{
    struct sockaddr_in6 v6;
    struct sockaddr_in v4;

    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        return range->family == AF_INET &&
               bits_match(range->bytes, (const uint8_t *)&v4.sin_addr, range->bits);
    }
    if (address->sa_family != AF_INET6)
        return false;
    memcpy(&v6, address, sizeof(v6));
    if (memcmp(v6.sin6_addr.s6_addr, mapped_prefix, sizeof(mapped_prefix)) == 0)
        return range->family == AF_INET &&
               bits_match(range->bytes, v6.sin6_addr.s6_addr + sizeof(mapped_prefix), range->bits);
    return range->family == AF_INET6 && bits_match(range->bytes, v6.sin6_addr.s6_addr, range->bits);
}

/* A host name in lower case without its trailing dot; only characters that a canonical host has. */
static bool name_copy(struct text name, char out[HOST_MAX + 1])
{
    if (name.len > 0 && name.at[name.len - 1] == '.')
        name.len--;
    if (name.len > HOST_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = ascii_lower(name.at[i]);

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.')
            return false;
        out[i] = c;
    }
    out[name.len] = '\0';
    return name.len > 0;
}

/* Takes "name:", "1.2.3.4:", "[::1]:" or ":" from the front of `rest`. Literals become canonical.
 */
static bool take_host(struct text *rest, char out[HOST_MAX + 1])
{
    struct in6_addr v6;
    struct text host;

    out[0] = '\0';
    if (rest->len > 0 && rest->at[0] == '[') {
        *rest = (struct text){ rest->at + 1, rest->len - 1 };
        if (!cut(rest, ']', &host) || rest->len == 0 || rest->at[0] != ':')
            return false;
        *rest = (struct text){ rest->at + 1, rest->len - 1 };
        return parse_literal(AF_INET6, host, &v6) && inet_ntop(AF_INET6, &v6, out, HOST_MAX + 1);
    }
    return cut(rest, ':', &host) && (host.len == 0 || name_copy(host, out));
}

static bool port_or_any(struct text digits, uint16_t *out)
{
    *out = 0;
    return digits.len == 0 || (parse_port(digits, out) && *out != 0);
}

bool connect_to_parse(struct text text, struct connect_to *out, const char **why)
{
    static const char form[] =
        "the form is HOST:PORT:ADDR:PORT, IPv6 in brackets; HOST and PORT may "
        "be empty";
    struct text port, rest = text;

    *out = (struct connect_to){ 0 };
    if (!take_host(&rest, out->host) || !cut(&rest, ':', &port) || !take_host(&rest, out->to_host))
        return refuse(why, form);
    if (!port_or_any(port, &out->port) || !port_or_any(rest, &out->to_port))
        return refuse(why, "a port must be a number from 1 to 65535, or empty");
    if (out->to_host[0] == '\0' && out->to_port == 0)
        return refuse(why, "the second half is empty, so this changes nothing");
    return true;
}
