/* attrs.host, from what people write to one canonical pattern.
 *
 *   "  api.example.com/v1 "  blanks around it and a path behind it: taken apart, with a warning
 *   "https://…", "/api/io", ".example.com", "a b", "user@h", "a%2eb": opens nothing, with the fix
 *   "h:8080"  no policy has a port at VTEX; here it narrows the policy to that port */
#include <stdlib.h>

#include "policy/authority.h"
#include "policy/compile.h"
#include "policy/host.h"

static bool refuse(const struct compiling *in, const char *what, struct text host)
{
    diag_error(in->diags, in->row->host_place, "the host \"%s\" %s; the policy opens nothing",
               show(host).text, what);
    return false;
}

/* `why` is a sentence that begins with "the host ", as it is said of a request's. */
static bool refuse_because(const struct compiling *in, const char *why, struct text host)
{
    return refuse(in, why + strlen("the host "), host);
}

static bool has(struct text value, char c)
{
    return value.len > 0 && memchr(value.at, c, value.len) != NULL;
}

static bool has_blank(struct text value)
{
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.at[i] <= 0x20 || value.at[i] == 0x7f)
            return true;
    return false;
}

/* The host without a scheme that somebody put in front, or at == NULL if there is none. */
static struct text behind_scheme(struct text host)
{
    const char *mark = host.len ? memmem(host.at, host.len, "://", 3) : NULL;

    if (mark)
        return text_span(mark + 3, host.at + host.len);
    if (text_starts(host, TEXT("//")))
        return (struct text){ host.at + 2, host.len - 2 };
    return TEXT_NONE;
}

static bool refuse_scheme(const struct compiling *in, struct text host, struct text rest)
{
    const char *slash = rest.len ? memchr(rest.at, '/', rest.len) : NULL;
    struct text name = slash ? text_span(rest.at, slash) : rest;
    struct text path = slash ? text_span(slash, rest.at + rest.len) : TEXT("*");
    const char *query = memchr(path.at, '?', path.len);

    if (query)
        path = text_span(path.at, query);
    diag_error(
        in->diags, in->row->host_place,
        "the host \"%s\" holds a scheme; the policy opens nothing; write host \"%s\" and path "
        "\"%s\"",
        show(host).text, show(name).text, show(path).text);
    return false;
}

/* What can be said before templates are filled in. */
static bool check_shape(const struct compiling *in, struct text host)
{
    struct text rest = behind_scheme(host);

    if (host.len == 0)
        return refuse(in, "is missing or empty; name the host that the app calls", host);
    if (rest.at)
        return refuse_scheme(in, host, rest);
    if (host.at[0] == '/')
        return refuse(in, "is only a path; put it in \"path\" and name the host here", host);
    if (host.at[0] == '.')
        return refuse(in, "begins with a dot; write \"*\" in front for all names under it", host);
    if (has(host, '@'))
        return refuse(in, "holds '@'; a policy names no user", host);
    return true;
}

static struct text trimmed_host(const struct compiling *in)
{
    struct text host = text_trim(in->row->host);

    if (host.len != in->row->host.len)
        diag_warning(in->diags, in->row->host_place,
                     "the host \"%s\" has blanks around it; they are ignored, remove them",
                     show(in->row->host).text);
    return host;
}

/* "h/x" becomes "h" and "/x"; what comes of it, with the path behind, compile_path() tells. */
static struct text split_path(struct text host, struct host_spec *out)
{
    const char *slash = memchr(host.at, '/', host.len);

    out->path = TEXT_NONE;
    if (!slash)
        return host;
    out->path = text_span(slash, host.at + host.len);
    return text_span(host.at, slash);
}

static bool split_port(const struct compiling *in, struct text *host, uint16_t *port)
{
    const char *colon = memrchr(host->at, ':', host->len);
    const char *bracket = memrchr(host->at, ']', host->len);
    struct text whole = *host;

    *port = 0;
    if (!colon || (bracket && bracket > colon))
        return true;
    *host = text_span(whole.at, colon);
    if (!port_parse(text_span(colon + 1, whole.at + whole.len), port))
        return refuse(in, "holds a ':' that is followed by no port; name the host alone", whole);
    diag_warning(
        in->diags, in->row->host_place,
        "the host \"%s\" names a port; policies have none at VTEX, here the policy is kept to "
        "that port; remove it to open the host",
        show(whole).text);
    return true;
}

/* A label of a wildcard host: stars and ASCII, or a whole label without a star. */
static bool wild_label(struct text label, char out[LABEL_MAX + 1], const char **why)
{
    size_t used = 0;

    if (!has(label, '*'))
        return host_label_canonical(label, out, why);
    for (size_t i = 0; i < label.len; i++) {
        char c = label.at[i];

        *why = "the host holds a character that no host name has, or a label with '*' is too long";
        if ((c != '*' && !host_is_name_byte(c)) || used == LABEL_MAX)
            return false;
        if (c != '*' || used == 0 || out[used - 1] != '*')
            out[used++] = ascii_lower(c);
    }
    out[used] = '\0';
    return true;
}

static bool wild_host(struct text host, struct host_spec *out, const char **why)
{
    const char *at = host.at, *end = at + host.len;
    size_t used = 0;

    for (;;) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        char label[LABEL_MAX + 1];
        size_t len;

        if (!wild_label(text_span(at, dot ? dot : end), label, why))
            return false;
        len = strlen(label);
        if (used + len > HOST_MAX) {
            *why = "the host has more than 253 characters";
            return false;
        }
        memcpy(out->host + used, label, len + 1);
        used += len;
        if (!dot)
            return true;
        out->host[used++] = '.';
        at = dot + 1;
    }
}

/* "10.0.*" would open the name 10.0.example.com, which is not what anybody meant by it. */
static bool looks_like_addresses(struct text host)
{
    bool digit = false;

    for (size_t i = 0; i < host.len; i++) {
        if (!memchr("0123456789.*", host.at[i], 12))
            return false;
        digit = digit || (host.at[i] >= '0' && host.at[i] <= '9');
    }
    return digit;
}

static bool canonical(const struct compiling *in, struct text host, struct host_spec *out)
{
    struct destination made;
    const char *why = NULL;

    if (host.len > 0 && host.at[host.len - 1] == '.')
        host.len--;
    if (host.len == 0)
        return refuse(in, "names no host", host);
    if (!has(host, '*')) {
        if (!host_canonical(host, &made, &why))
            return refuse_because(in, why, host);
        memcpy(out->host, made.host, (size_t)made.host_len + 1);
        return true;
    }
    if (looks_like_addresses(host))
        return refuse(in, "is a wildcard over addresses; name each address in full", host);
    if (!wild_host(host, out, &why))
        return refuse_because(in, why, host);
    if (strcmp(out->host, "*") == 0)
        diag_warning(
            in->diags, in->row->host_place,
            "the host \"*\" opens every host in the world; name the hosts that the app calls");
    return true;
}

bool compile_host(const struct compiling *in, struct host_spec *out)
{
    struct text host = trimmed_host(in);
    char *filled;
    bool good;

    *out = (struct host_spec){ .port = 0 };
    if (!check_shape(in, host))
        return false;
    host = split_path(host, out);
    filled = fill_template(in, in->row->host_place, "host", host);
    if (!filled)
        return false;
    host = text_of(filled);
    if (has_blank(host))
        good = refuse(in, "holds a blank or a control character; write one host a policy", host);
    else
        good = split_port(in, &host, &out->port) && canonical(in, host, out);
    free(filled);
    return good;
}
