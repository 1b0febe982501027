#include "config/origin_rule.h"

#include <arpa/inet.h>

/* What stands before `mark`; `rest` is what stands behind it, not there without a mark. */
static struct text cut(struct text whole, char mark, struct text *rest)
{
    const char *at = whole.len ? memchr(whole.at, mark, whole.len) : NULL;

    *rest = at ? text_trim(text_span(at + 1, whole.at + whole.len)) : TEXT_NONE;
    return text_trim(at ? text_span(whole.at, at) : whole);
}

static bool is_host_byte(char c)
{
    char low = ascii_lower(c);

    return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || strchr("-._*", c);
}

/* An IPv6 literal in the one form that destinations have. */
static bool keep_ipv6(char host[HOST_MAX + 1])
{
    struct in6_addr address;

    return inet_pton(AF_INET6, host, &address) == 1 &&
           inet_ntop(AF_INET6, &address, host, HOST_MAX + 1) != NULL;
}

/* A rule that can match nothing would protect nothing, and nobody would notice. */
static bool parse_host(struct text text, char host[HOST_MAX + 1], const char **why)
{
    bool plain = true;

    if (text_ends(text, TEXT(".")))
        text.len--;
    *why = "must be HOST=..., and HOST a host alone";
    if (text.len == 0 || text.len > HOST_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        plain = plain && is_host_byte(text.at[i]);
        host[i] = ascii_lower(text.at[i]);
    }
    host[text.len] = '\0';
    *why = "HOST must be a host alone, without scheme, port and path; write a name with other than "
           "ASCII letters in its xn-- form";
    return (plain && host[0] != '.') || keep_ipv6(host);
}

static bool keep_path(struct text path, char out[PATH_MAX])
{
    if (path.len == 0 || path.len >= PATH_MAX)
        return false;
    memcpy(out, path.at, path.len);
    out[path.len] = '\0';
    return true;
}

bool client_certificate_parse(struct text text, struct client_certificate *out, const char **why)
{
    struct text files, key, host = cut(text, '=', &files);
    struct text certificate = cut(files, ';', &key);

    if (!parse_host(host, out->host, why))
        return false;
    *why = "must be HOST=CERTIFICATE.pem or HOST=CERTIFICATE.pem;KEY.pem";
    return keep_path(certificate, out->certificate) &&
           keep_path(key.at ? key : certificate, out->key);
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c ? strchr(digits, c) : NULL;

    return found ? (int)(found - digits) : -1;
}

/* 32 bytes are 43 digits, the last of which has two bits to spare, and one '='. */
static bool parse_digest(struct text text, uint8_t out[PIN_BYTES])
{
    enum { DIGITS = 43 };
    unsigned bits = 0, n_bits = 0;

    if (text.len != DIGITS + 1 || text.at[DIGITS] != '=')
        return false;
    for (size_t i = 0; i < DIGITS; i++) {
        int digit = base64_digit(text.at[i]);
        if (digit < 0)
            return false;
        bits = (bits << 6 | (unsigned)digit) & 0xffff;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            *out++ = (uint8_t)(bits >> n_bits);
        }
    }
    return (bits & 3) == 0;
}

static bool parse_pin(struct text text, struct pins *out, const char **why)
{
    static const struct text start = TEXT_INIT("sha256/");

    *why = "a pin must be sha256/ and the base64 (44 characters, '=' last) of the SHA-256 of a "
           "public key";
    if (!text_starts(text, start) ||
        !parse_digest(text_span(text.at + start.len, text.at + text.len), out->digests[out->n]))
        return false;
    out->n++;
    return true;
}

bool pins_parse(struct text text, struct pins *out, const char **why)
{
    struct text rest, host = cut(text, '=', &rest);

    out->n = 0;
    if (!parse_host(host, out->host, why))
        return false;
    do {
        struct text pin = cut(rest, ';', &rest);
        if (out->n == PINS_MAX) {
            *why = "16 pins a host are enough";
            return false;
        }
        if (!parse_pin(pin, out, why))
            return false;
    } while (rest.at);
    return true;
}
