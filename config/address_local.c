/* Addresses that are no network's: unix:PATH,mode=0660,group=NAME and systemd:NAME. */
#include <sys/un.h>

#include "config/address.h"

static bool refuse(const char **why, const char *reason)
{
    *why = reason;
    return false;
}

bool listen_is_suffix(struct text text)
{
    return text_starts(text, TEXT("mode=")) || text_starts(text, TEXT("group="));
}

static struct text behind(struct text text, size_t n)
{
    return (struct text){ text.at + n, text.len - n };
}

static bool parse_mode(struct text digits, unsigned *out)
{
    unsigned mode = 0;

    for (size_t i = 0; i < digits.len; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '7' || mode > 0777)
            return false;
        mode = mode * 8 + (unsigned)(digits.at[i] - '0');
    }
    *out = mode;
    return digits.len > 0 && mode <= 0777;
}

static bool parse_group(struct text name, char out[LISTEN_GROUP_MAX + 1])
{
    if (name.len == 0 || name.len > LISTEN_GROUP_MAX)
        return false;
    memcpy(out, name.at, name.len);
    out[name.len] = '\0';
    return true;
}

static bool parse_suffix(struct text part, struct listen_address *out, const char **why)
{
    if (text_starts(part, TEXT("mode=")))
        return parse_mode(behind(part, 5), &out->mode) ||
               refuse(why, "mode= wants an octal number, 0777 at most: write unix:PATH,mode=0660");
    if (text_starts(part, TEXT("group=")))
        return parse_group(behind(part, 6), out->group) ||
               refuse(why, "group= wants a group's name of 32 letters at most");
    return refuse(why, "only mode= and group= may follow the path, whose name cannot hold a comma");
}

/* The next part up to a comma; false behind the last. */
static bool next_part(struct text *rest, struct text *part)
{
    const char *comma;

    if (!rest->at)
        return false;
    comma = rest->len > 0 ? memchr(rest->at, ',', rest->len) : NULL;
    *part = comma ? text_span(rest->at, comma) : *rest;
    *rest = comma ? text_span(comma + 1, rest->at + rest->len) : TEXT_NONE;
    return true;
}

static bool parse_path(struct text path, struct listen_address *out, const char **why)
{
    struct sockaddr_un socket = { .sun_family = AF_UNIX };

    if (path.len == 0)
        return refuse(why, "a path is missing: write unix:/run/janus.sock");
    if (path.at[0] == '@')
        return refuse(why,
                      "an abstract socket has no permissions: anybody could use it; name a path");
    if (path.len >= sizeof(socket.sun_path) || memchr(path.at, '\0', path.len))
        return refuse(why, "the path of a Unix socket has 107 bytes at most (unix(7))");
    memcpy(socket.sun_path, path.at, path.len);
    memcpy(&out->socket, &socket, sizeof(socket));
    out->socket_len = sizeof(socket);
    return true;
}

static bool parse_unix(struct text rest, struct listen_address *out, const char **why)
{
    struct text part = TEXT_NONE;

    out->kind = LISTEN_UNIX;
    out->loopback = true;
    out->mode = LISTEN_MODE_STANDARD;
    next_part(&rest, &part);
    if (!parse_path(part, out, why))
        return false;
    while (next_part(&rest, &part)) {
        if (!parse_suffix(part, out, why))
            return false;
    }
    return true;
}

bool listen_local_parse(struct text text, struct listen_address *out, const char **why)
{
    struct text name;

    if (text_starts(text, TEXT("unix:")))
        return parse_unix(behind(text, 5), out, why);
    name = behind(text, strlen("systemd:"));
    out->kind = LISTEN_SYSTEMD;
    out->loopback = true; /* what it really is, is looked at when it is taken over */
    if (name.len == 0 || name.len > LISTEN_NAME_MAX || memchr(name.at, '\0', name.len))
        return refuse(why, "a name is missing: systemd:NAME, as FileDescriptorName= says it");
    if (memchr(name.at, ':', name.len) || memchr(name.at, ',', name.len))
        return refuse(why, "the name of a socket holds no colon and no comma");
    memcpy(out->name, name.at, name.len);
    return true;
}
