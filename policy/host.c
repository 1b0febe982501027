/* Hosts have many spellings of one meaning. Everything here ends in one spelling or in a refusal:
 *
 *   - IDNA may turn a letter that only looks like ASCII (long s, Kelvin sign, fullwidth forms)
 *     into the ASCII letter, and an ideographic full stop into a dot. Such a name would slip into
 *     a policy that its bytes do not match, so a label with other than ASCII must end as an
 *     A-label (xn--), with as many characters as were written: what IDNA drops (a soft hyphen, a
 *     no-break space) is what a person does not see.
 *   - A host whose last label is a number is an IPv4 address to some readers (0x7f.1, 2130706433,
 *     127.1, 0177.0.0.1) and a name to others: only the dotted decimal that inet_ntop() prints
 *     passes. */
#include "policy/host.h"

#include <arpa/inet.h>
#include <idn2.h>

#include "policy/destination.h"

enum { WRITTEN_MAX = 1024, LABEL_WRITTEN_MAX = 255 };

/* Letters, digits, '-', '_' and '.': a bit for each byte below 0x80. */
bool host_is_name_byte(char c)
{
    static const uint64_t bits[2] = { 0x03ff600000000000, 0x07fffffe87fffffe };
    unsigned char byte = (unsigned char)c;

    return byte < 0x80 && (bits[byte >> 6] >> (byte & 63) & 1);
}

static const char *complaint(char c)
{
    switch (c) {
    case '%':
        return "the host holds a percent sign; a host has no escapes";
    case '@':
        return "the host holds '@'; user and password do not belong there";
    case ':':
        return "the host holds a stray ':'; write IPv6 addresses in brackets";
    case '\\':
        return "the host holds a backslash";
    case '*':
        return "the host holds '*'; a wildcard is for policies only";
    default:
        return "the host holds a character that no host name has";
    }
}

/* U+0300..036f, which NFC joins to the letter before: cc 80..cd af. */
static bool is_combining(const unsigned char *at)
{
    return at[0] == 0xcc || (at[0] == 0xcd && at[1] <= 0xaf);
}

static size_t n_characters(const char *utf8)
{
    size_t n = 0;

    for (const unsigned char *at = (const unsigned char *)utf8; *at; at++)
        n += (*at & 0xc0) != 0x80 && !is_combining(at);
    return n;
}

/* What was written as an A-label has nothing to lose. */
static bool kept_all(const char *written, const char *made)
{
    char *shown = NULL;
    bool kept = n_characters(written) == strlen(written) ||
                (idn2_to_unicode_8z8z(made, &shown, 0) == IDN2_OK &&
                 n_characters(shown) == n_characters(written));

    idn2_free(shown);
    return kept;
}

static bool label_by_idna(struct text label, char out[LABEL_MAX + 1])
{
    char written[LABEL_WRITTEN_MAX + 1];
    char *made = NULL;
    struct text result;
    bool good;

    if (label.len > LABEL_WRITTEN_MAX)
        return false;
    memcpy(written, label.at, label.len);
    written[label.len] = '\0';
    if (idn2_to_ascii_8z(written, &made,
                         IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT | IDN2_USE_STD3_ASCII_RULES) !=
        IDN2_OK)
        return false;
    result = text_of(made);
    good = result.len <= LABEL_MAX && text_starts(result, TEXT("xn--")) &&
           memchr(result.at, '.', result.len) == NULL && kept_all(written, made);
    if (good)
        memcpy(out, result.at, result.len + 1);
    idn2_free(made);
    return good;
}

/* True when `label` is ASCII and allowed; `*other` tells of bytes that only IDNA can judge. */
static bool scan_label(struct text label, bool *other, const char **why)
{
    for (size_t i = 0; i < label.len; i++) {
        char c = label.at[i];

        if (host_is_name_byte(c) && c != '.')
            continue;
        if ((unsigned char)c < 0x80) {
            *why = complaint(c);
            return false;
        }
        *other = true;
    }
    return true;
}

bool host_label_canonical(struct text written, char out[LABEL_MAX + 1], const char **why)
{
    bool other = false;

    if (written.len == 0) {
        *why = "the host has an empty label (a dot at its start, or two in a row)";
        return false;
    }
    if (!scan_label(written, &other, why))
        return false;
    if (other ||
        (written.len >= 4 && text_eq_nocase((struct text){ written.at, 4 }, TEXT("xn--")))) {
        if (label_by_idna(written, out))
            return true;
        *why = "the host holds a label that is no valid international name (IDNA)";
        return false;
    }
    if (written.len > LABEL_MAX) {
        *why = "the host has a label of more than 63 characters";
        return false;
    }
    for (size_t i = 0; i < written.len; i++)
        out[i] = ascii_lower(written.at[i]);
    out[written.len] = '\0';
    return true;
}

static bool all_in(struct text value, const char *set)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.at[i] == '\0' || strchr(set, value.at[i]) == NULL)
            return false;
    return true;
}

bool host_ends_in_number(struct text canonical)
{
    const char *dot = canonical.len ? memrchr(canonical.at, '.', canonical.len) : NULL;
    struct text last = dot ? text_span(dot + 1, canonical.at + canonical.len) : canonical;

    if (last.len == 0)
        return false;
    if (all_in(last, "0123456789"))
        return true;
    return text_starts(last, TEXT("0x")) &&
           all_in((struct text){ last.at + 2, last.len - 2 }, "0123456789abcdef");
}

bool host_is_localhost(struct text canonical)
{
    return text_eq(canonical, TEXT("localhost")) || text_ends(canonical, TEXT(".localhost"));
}

static bool ipv4_is_canonical(const char *host)
{
    struct in_addr address;
    char printed[INET_ADDRSTRLEN];

    return inet_pton(AF_INET, host, &address) == 1 &&
           inet_ntop(AF_INET, &address, printed, sizeof printed) && strcmp(host, printed) == 0;
}

static bool ipv6_canonical(struct text written, struct destination *out, const char **why)
{
    char inner[INET6_ADDRSTRLEN + 1];
    struct in6_addr address;

    *why = "the host is no IPv6 address in brackets (zone identifiers are not taken either)";
    if (written.len < 4 || written.at[written.len - 1] != ']' || written.len - 2 > INET6_ADDRSTRLEN)
        return false;
    memcpy(inner, written.at + 1, written.len - 2);
    inner[written.len - 2] = '\0';
    if (strlen(inner) != written.len - 2 || inet_pton(AF_INET6, inner, &address) != 1 ||
        !inet_ntop(AF_INET6, &address, out->host, sizeof out->host))
        return false;
    out->host_len = (uint16_t)strlen(out->host);
    out->host_is_address = true;
    return true;
}

/* True if `written` is a name that means nothing but itself: labels of ASCII, none of them an A-label. Then
 * it is in out->host, in small letters. Nearly all are; whatever is not goes label by label. */
static bool join_plain(struct text written, struct destination *out)
{
    size_t label = 0; /* where it begins */

    if (written.len > HOST_MAX)
        return false;
    for (size_t i = 0; i <= written.len; i++) {
        char c = i < written.len ? written.at[i] : '.';
        if (!host_is_name_byte(c))
            return false;
        out->host[i] = ascii_lower(c);
        if (c != '.')
            continue;
        if (i == label || i - label > LABEL_MAX || memcmp(out->host + label, "xn--", 4) == 0)
            return false;
        label = i + 1;
    }
    out->host[written.len] = '\0';
    out->host_len = (uint16_t)written.len;
    return true;
}

/* Puts the labels of `written` into out->host, dots between them. */
static bool join_labels(struct text written, struct destination *out, const char **why)
{
    const char *at = written.at, *end = written.at + written.len;
    size_t used = 0;

    for (;;) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        char label[LABEL_MAX + 1];
        size_t len;

        if (!host_label_canonical(text_span(at, dot ? dot : end), label, why))
            return false;
        len = strlen(label);
        if (used + len > HOST_MAX) {
            *why = "the host has more than 253 characters";
            return false;
        }
        memcpy(out->host + used, label, len + 1);
        used += len;
        if (!dot)
            break;
        out->host[used++] = '.';
        at = dot + 1;
    }
    out->host_len = (uint16_t)used;
    return true;
}

bool host_canonical(struct text written, struct destination *out, const char **why)
{
    out->host_is_address = false;
    out->host_len = 0;
    out->host[0] = '\0';
    if (written.len == 0 || written.len > WRITTEN_MAX) {
        *why = written.len == 0 ? "the host is empty" : "the host has more than 253 characters";
        return false;
    }
    if (written.at[0] == '[')
        return ipv6_canonical(written, out, why);
    if (written.at[written.len - 1] == '.')
        written.len--;
    if (!join_plain(written, out) && !join_labels(written, out, why))
        return false;
    if (host_ends_in_number((struct text){ out->host, out->host_len })) {
        out->host_is_address = ipv4_is_canonical(out->host);
        *why = "the host ends in a number but is no plain IPv4 address (four decimal numbers, no "
               "leading zeros)";
        return out->host_is_address;
    }
    return true;
}
