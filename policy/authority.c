#include "policy/authority.h"

#include <stdio.h>

enum { PORT_MAX = 65535, PORT_DIGITS = 5 };

bool port_parse(struct text digits, uint16_t *out)
{
    unsigned long long value;

    if (digits.len > PORT_DIGITS || !text_to_uint(digits, PORT_MAX, &value) || value == 0)
        return false;
    *out = (uint16_t)value;
    return true;
}

/* Where the host ends: behind the bracket of an IPv6 literal, else at the first ':'. */
static size_t host_length(struct text written)
{
    char stop = written.len > 0 && written.at[0] == '[' ? ']' : ':';
    const char *found = written.len > 0 ? memchr(written.at, stop, written.len) : NULL;

    if (!found)
        return written.len;
    return (size_t)(found - written.at) + (stop == ']');
}

bool authority_parse(struct text written, struct destination *out, uint16_t *port, const char **why)
{
    size_t len = host_length(written);

    *port = 0;
    if (written.len > 0 && memchr(written.at, '@', written.len)) {
        *why = "user and password (\"user@host\") are not taken; send an Authorization header";
        return false;
    }
    if (!host_canonical((struct text){ written.at, len }, out, why))
        return false;
    if (len == written.len)
        return true;
    if (written.at[len] != ':') {
        *why = "there is something behind the bracket of the IPv6 address that is no port";
        return false;
    }
    if (!port_parse((struct text){ written.at + len + 1, written.len - len - 1 }, port)) {
        *why = "the port behind ':' is empty or not a number from 1 to 65535";
        return false;
    }
    return true;
}

size_t destination_authority(const struct destination *destination, char out[AUTHORITY_MAX])
{
    bool brackets = memchr(destination->host, ':', destination->host_len) != NULL;
    uint16_t usual = destination->scheme == SCHEME_HTTPS ? 443 : 80;
    size_t len = 0;

    if (brackets)
        out[len++] = '[';
    memcpy(out + len, destination->host, destination->host_len);
    len += destination->host_len;
    if (brackets)
        out[len++] = ']';
    out[len] = '\0';
    if (destination->port != usual)
        len += (size_t)snprintf(out + len, AUTHORITY_MAX - len, ":%u", (unsigned)destination->port);
    return len;
}
