#include "proxy/log_mask.h"

#include <string.h>

#include "config/text.h"

static const char stars[] = "***";
enum { STARS = sizeof(stars) - 1, JWT_MIN = 24 };

static bool is_base64url(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

/* How many bytes of a JWT stand at the beginning: three parts of base64url. The second dot is what makes it one. */
static size_t jwt_at(struct text text)
{
    unsigned dots = 0;
    size_t n = 0;

    if (!text_starts(text, TEXT("eyJ")))
        return 0;
    while (n < text.len && (is_base64url(text.at[n]) || (text.at[n] == '.' && dots < 2)))
        dots += text.at[n++] == '.';
    return dots == 2 && n >= JWT_MIN ? n : 0;
}

static bool starts_nocase(struct text text, struct text start)
{
    return text.len >= start.len && text_eq_nocase((struct text){ text.at, start.len }, start);
}

/* How many bytes of "authToken=" or "authToken%3d" stand at the beginning. */
static size_t name_at(struct text text)
{
    static const struct text names[] = { TEXT_INIT("authtoken"), TEXT_INIT("vtexidclientautcookie"),
                                         TEXT_INIT("access_token"), TEXT_INIT("apptoken") };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct text rest = { text.at + names[i].len, text.len - names[i].len };
        if (!starts_nocase(text, names[i]))
            continue;
        if (text_starts(rest, TEXT("=")))
            return names[i].len + 1;
        if (starts_nocase(rest, TEXT("%3d")))
            return names[i].len + 3;
    }
    return 0;
}

/* Up to where a value may reach: what ends a segment, a parameter, a quoted word. */
static size_t value_at(struct text text)
{
    size_t n = 0;

    while (n < text.len && !strchr("/;&,\" ", text.at[n]))
        n++;
    return n;
}

/* Most paths have none of these bytes, and are looked at no closer: "eyJ", '=' and "%3D". */
static bool may_hold_one(struct text text)
{
    return text.len && (memchr(text.at, 'J', text.len) || memchr(text.at, '=', text.len) ||
                        memchr(text.at, '%', text.len));
}

bool log_mask(char *text, size_t *len)
{
    size_t from = 0, to = 0;
    bool found = false;

    if (!may_hold_one((struct text){ text, *len }))
        return false;
    while (from < *len) {
        struct text rest = { text + from, *len - from };
        size_t name = name_at(rest);
        struct text behind = { rest.at + name, rest.len - name };
        size_t secret = name ? value_at(behind) : jwt_at(rest);
        if (secret < STARS) { /* nothing, or less than what would stand instead */
            size_t kept = name ? name : 1;
            memmove(text + to, text + from, kept);
            from += kept;
            to += kept;
            continue;
        }
        memmove(text + to, text + from, name);
        memcpy(text + to + name, stars, STARS);
        to += name + STARS;
        from += name + secret;
        found = true;
    }
    *len = to;
    return found;
}
