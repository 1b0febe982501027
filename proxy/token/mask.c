#include "proxy/token/mask.h"

#include "config/text.h"

enum { STARS = 3, JWT_MIN = 8, RUN_MIN = 32 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_small(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_letter(char c)
{
    return is_small(ascii_lower(c));
}

static bool is_one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

static bool is_name_byte(char c)
{
    return is_letter(c) || is_digit(c) || c == '_' || c == '-';
}

static bool is_run_byte(char c)
{
    return is_name_byte(c) || is_one_of(c, ".+=");
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_line_end(char c)
{
    return c == '\r' || c == '\n';
}

static size_t span(struct text rest, bool is_in(char c))
{
    size_t n = 0;

    while (n < rest.len && is_in(rest.at[n]))
        n++;
    return n;
}

static struct text skip(struct text rest, size_t n)
{
    return (struct text){ rest.at + n, rest.len - n };
}

static bool starts_nocase(struct text whole, struct text start)
{
    return whole.len >= start.len && text_eq_nocase((struct text){ whole.at, start.len }, start);
}

static bool ends_nocase(struct text whole, struct text end)
{
    return whole.len >= end.len && text_eq_nocase(skip(whole, whole.len - end.len), end);
}

/* Each rule looks at what begins at `rest` and says which part of it is secret; without one, at is
 * NULL. `before` is the text up to there. */
typedef struct text rule(struct text before, struct text rest);

static char last_of(struct text before)
{
    return before.len ? before.at[before.len - 1] : ' ';
}

/* ---- JWTs ---- */

static bool is_jwt_byte(char c)
{
    return is_run_byte(c) || c == '/';
}

static struct text find_jwt(struct text before, struct text rest)
{
    size_t n;

    if (!text_starts(rest, TEXT("eyJ")) || is_letter(last_of(before)) || is_digit(last_of(before)))
        return TEXT_NONE;
    n = span(rest, is_jwt_byte);
    return n >= 3 + JWT_MIN ? (struct text){ rest.at, n } : TEXT_NONE;
}

/* ---- values with a name ---- */

enum reach { NO_KEY, A_WORD, A_LINE };

/* Names end with these: access_token, X-VTEX-API-AppToken, Set-Cookie, clientSecret. */
static enum reach reach_of(struct text name)
{
    static const struct {
        struct text end;
        enum reach reach;
    } keys[] = {
        { TEXT_INIT("token"), A_WORD },         { TEXT_INIT("appkey"), A_WORD },
        { TEXT_INIT("password"), A_WORD },      { TEXT_INIT("passwd"), A_WORD },
        { TEXT_INIT("secret"), A_WORD },        { TEXT_INIT("credential"), A_WORD },
        { TEXT_INIT("apikey"), A_WORD },        { TEXT_INIT("api-key"), A_WORD },
        { TEXT_INIT("api_key"), A_WORD },       { TEXT_INIT("vid_rt"), A_WORD },
        { TEXT_INIT("authorization"), A_LINE }, { TEXT_INIT("cookie"), A_LINE },
    };

    if (starts_nocase(name, TEXT("VtexIdclientAutCookie")))
        return A_WORD;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (ends_nocase(name, keys[i].end))
            return keys[i].reach;
    }
    return NO_KEY;
}

/* A quote, also one inside a JSON string: \" */
static struct text skip_quote(struct text rest, char *quote)
{
    struct text behind = rest;

    *quote = '\0';
    while (behind.len && behind.at[0] == '\\')
        behind = skip(behind, 1);
    if (!behind.len || !is_one_of(behind.at[0], "\"'`"))
        return rest;
    *quote = behind.at[0];
    return skip(behind, 1);
}

/* What parts a name from its value: = : %3D %3A with blanks around, or a blank behind --name. */
static struct text skip_delimiter(struct text rest, bool is_option)
{
    struct text value = skip(rest, span(rest, is_blank));

    if (value.len && (value.at[0] == '=' || value.at[0] == ':'))
        value = skip(value, 1);
    else if (starts_nocase(value, TEXT("%3D")) || starts_nocase(value, TEXT("%3A")))
        value = skip(value, 3);
    else if (!is_option || value.len == rest.len)
        return TEXT_NONE;
    return skip(value, span(value, is_blank));
}

static bool is_in_word(char c)
{
    return !is_blank(c) && !is_line_end(c) && !is_one_of(c, ",;&\"'`)]}>|");
}

static bool is_in_line(char c)
{
    return !is_line_end(c);
}

/* Up to the quote that ends it; one behind a backslash ends it too if it began like that. */
static size_t span_quoted(struct text value, char quote, bool escaped)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] == '\\' && !escaped)
            i++;
        else if (value.at[i] == '\\' || value.at[i] == quote)
            return i;
    }
    return value.len;
}

static size_t span_bearer(struct text value)
{
    static const struct text scheme = TEXT_INIT("Bearer");
    size_t blanks;

    if (!starts_nocase(value, scheme))
        return 0;
    blanks = span(skip(value, scheme.len), is_blank);
    return blanks ? scheme.len + blanks : 0;
}

static struct text value_of(struct text rest, enum reach reach)
{
    char quote;
    struct text value = skip_quote(rest, &quote);
    size_t n;

    if (quote)
        n = span_quoted(value, quote, value.at - rest.at > 1);
    else if (reach == A_LINE)
        n = span(value, is_in_line);
    else
        n = span_bearer(value) + span(skip(value, span_bearer(value)), is_in_word);
    value.len = n;
    if (n == 0 || text_eq(value, TEXT("null")) || text_eq(value, TEXT("undefined")))
        return TEXT_NONE; /* worth knowing, and no secret */
    return value;
}

static struct text find_named(struct text before, struct text rest)
{
    struct text name, behind;
    enum reach reach;
    char quote;

    if (is_name_byte(last_of(before)))
        return TEXT_NONE;
    name = (struct text){ rest.at, span(rest, is_name_byte) };
    reach = reach_of(name);
    if (reach == NO_KEY)
        return TEXT_NONE;
    behind = skip_quote(skip(rest, name.len), &quote);
    behind = skip_delimiter(behind, text_starts(name, TEXT("--")));
    return behind.at ? value_of(behind, reach) : TEXT_NONE;
}

/* ---- credentials ---- */

static struct text find_bearer(struct text before, struct text rest)
{
    size_t scheme = span_bearer(rest), n;

    if (!scheme || is_name_byte(last_of(before)))
        return TEXT_NONE;
    n = span(skip(rest, scheme), is_in_word);
    return n ? (struct text){ rest.at + scheme, n } : TEXT_NONE;
}

static bool is_in_authority(char c)
{
    return is_in_word(c) && !is_one_of(c, "/?#");
}

static struct text find_userinfo(struct text before, struct text rest)
{
    const char *at;

    if (!text_ends(before, TEXT("://")))
        return TEXT_NONE;
    at = memrchr(rest.at, '@', span(rest, is_in_authority));
    return at && at != rest.at ? text_span(rest.at, at) : TEXT_NONE;
}

/* ---- long runs ---- */

/* Small letters and digits in labels, the last one letters alone: a host or a file, no key. */
static bool is_host(struct text run)
{
    size_t label = 0, dots = 0, letters = 0;

    for (size_t i = 0; i < run.len; i++) {
        char c = run.at[i];
        if (!is_small(c) && !is_digit(c) && c != '-' && c != '.')
            return false;
        label = c == '.' ? 0 : label + 1;
        letters = c == '.' ? 0 : letters + is_small(c);
        dots += c == '.';
        if (label >= RUN_MIN)
            return false;
    }
    return dots > 0 && letters >= 2 && letters == label;
}

static bool is_in_path(char c)
{
    return is_run_byte(c) || is_one_of(c, "/~@:%");
}

/* The word that it stands in begins like a path: /usr/lib/..., ./build/..., ~/.npm/... */
static bool is_of_path(struct text before)
{
    size_t at = before.len;

    while (at > 0 && is_in_path(before.at[at - 1]))
        at--;
    struct text word = skip(before, at);
    return text_starts(word, TEXT("/")) || text_starts(word, TEXT("./")) ||
           text_starts(word, TEXT("../")) || text_starts(word, TEXT("~/")) ||
           text_starts(word, TEXT("file:/"));
}

static bool looks_random(struct text run)
{
    size_t letters = 0, digits = 0, capitals = 0;

    for (size_t i = 0; i < run.len; i++) {
        letters += is_letter(run.at[i]);
        digits += is_digit(run.at[i]);
        capitals = is_capital(run.at[i]) ? capitals + 1 : 0;
        if (capitals >= RUN_MIN)
            return true;
    }
    return letters && digits;
}

static struct text find_run(struct text before, struct text rest)
{
    struct text run = { rest.at, 0 };

    if (is_run_byte(last_of(before)))
        return TEXT_NONE;
    run.len = span(rest, is_run_byte);
    if (run.len < RUN_MIN || !looks_random(run) || is_host(run) || is_of_path(before))
        return TEXT_NONE;
    return run;
}

/* ---- */

static struct text find(struct text before, struct text rest)
{
    static rule *const rules[] = { find_userinfo, find_jwt, find_named, find_bearer, find_run };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        struct text secret = rules[i](before, rest);
        if (secret.at)
            return secret;
    }
    return TEXT_NONE;
}

/* What is written stays behind what is read. The rules look back at what was written, which is
 * what was there, but for the stars. */
size_t mask_secrets(char *bytes, size_t len)
{
    size_t to = 0, from = 0;

    while (from < len) {
        struct text rest = { bytes + from, len - from };
        struct text secret = find((struct text){ bytes, to }, rest);
        size_t keep = secret.at ? (size_t)(secret.at - rest.at) : 1;
        size_t stars = secret.len < STARS ? secret.len : STARS;

        memmove(bytes + to, rest.at, keep);
        memset(bytes + to + keep, '*', stars);
        to += keep + stars;
        from += keep + secret.len;
    }
    return to;
}
