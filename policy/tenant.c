/* app., infra.io.vtex.com    /{app}/v{major}/{account}/{workspace}/... (root calls end before it)
 * platform.io.vtex.com       //{account}/{workspace}/...
 *                            /{account}/{workspace}/{io|services}
 *                            /{account}/...
 *                            /_io, /_services: nobody's
 * (the clients' AppClient, InfraClient and Router; vtex-facts 1.1) */
#include "policy/tenant.h"

enum { SEGMENTS = 4 };

static const char *const janus_suffixes[] = { ".vtexcommercestable.com.br",
                                              ".vtexcommercebeta.com.br", ".vtexpayments.com.br",
                                              ".myvtex.com" };
static const char *const janus_hosts[] = { "api.vtex.com", "vtexid.vtex.com.br",
                                           "licensemanager.vtex.com.br" };

static bool is_janus(struct text host)
{
    for (size_t i = 0; i < sizeof janus_suffixes / sizeof *janus_suffixes; i++)
        if (text_ends(host, text_of(janus_suffixes[i])))
            return true;
    for (size_t i = 0; i < sizeof janus_hosts / sizeof *janus_hosts; i++)
        if (text_eq(host, text_of(janus_hosts[i])))
            return true;
    return false;
}

/* ---- an= ---- */

/* The value of `n` hex digits at `at`, or -1. */
static int hex_run(const char *at, size_t n)
{
    int value = 0;

    for (size_t i = 0; i < n; i++) {
        int digit = ascii_hex(at[i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* Takes one character, decoded as in a form, off the front of `rest`. %uXXXX is no standard, but
 * ASP.NET, on which Janus hosts run, decodes it. */
static char next_char(struct text *rest)
{
    char c = *rest->at;
    size_t len = 1;
    int value = -1;

    if (c == '+')
        c = ' ';
    else if (c == '%' && rest->len >= 6 && ascii_lower(rest->at[1]) == 'u' &&
             (value = hex_run(rest->at + 2, 4)) >= 0)
        len = 6;
    else if (c == '%' && rest->len >= 3 && (value = hex_run(rest->at + 1, 2)) >= 0)
        len = 3;
    if (value >= 0)
        c = value < 0x80 ? (char)value : '\x7f';
    *rest = (struct text){ rest->at + len, rest->len - len };
    return c;
}

/* Account names are hosts' labels and some servers fold keys: neither minds the case. */
static bool decodes_to(struct text raw, struct text want)
{
    while (raw.len > 0 && want.len > 0) {
        if (ascii_lower(next_char(&raw)) != ascii_lower(*want.at))
            return false;
        want = (struct text){ want.at + 1, want.len - 1 };
    }
    return raw.len == 0 && want.len == 0;
}

/* The value of an `an=` that names somebody. */
static bool names_account(struct text pair, struct text *value)
{
    const char *equals = pair.len ? memchr(pair.at, '=', pair.len) : NULL;
    struct text key = equals ? text_span(pair.at, equals) : pair;

    *value = equals ? text_span(equals + 1, pair.at + pair.len) : TEXT("");
    return decodes_to(key, TEXT("an")) && value->len > 0;
}

/* Takes the next pair off the front of `rest`; false at the end. */
static bool next_pair(struct text *rest, bool semicolons, struct text *pair)
{
    size_t end = 0;

    if (!rest->at)
        return false;
    while (end < rest->len && rest->at[end] != '&' && !(semicolons && rest->at[end] == ';'))
        end++;
    *pair = (struct text){ rest->at, end };
    *rest = end < rest->len ? (struct text){ rest->at + end + 1, rest->len - end - 1 } : TEXT_NONE;
    return true;
}

static enum tenant_named judge_pairs(struct text query, struct text account, bool semicolons)
{
    enum tenant_named sum = TENANT_NONE, one;
    struct text pair, value;

    while (next_pair(&query, semicolons, &pair)) {
        if (!names_account(pair, &value))
            continue;
        one = decodes_to(value, account) ? TENANT_OURS : TENANT_OTHER_ACCOUNT;
        if (one > sum)
            sum = one;
    }
    return sum;
}

enum tenant_named tenant_in_query(struct text host, struct text query, const struct tenant *ours)
{
    enum tenant_named plain, split;

    if (query.len == 0 || !is_janus(host))
        return TENANT_NONE;
    plain = judge_pairs(query, ours->account, false);
    split = judge_pairs(query, ours->account, true);
    return plain > split ? plain : split;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* What is longer, or holds another character, is no account's name: "?", which is none either. */
static void decode_name(struct text value, char out[TENANT_NAME_MAX])
{
    size_t n = 0;

    while (value.len > 0) {
        char c = ascii_lower(next_char(&value));

        if (n == TENANT_NAME_MAX - 1 || !is_name_char(c)) {
            out[0] = '?';
            n = 1;
            break;
        }
        out[n++] = c;
    }
    out[n] = '\0';
}

static void collect_names(struct text query, bool semicolons, char out[TENANT_NAME_MAX])
{
    char name[TENANT_NAME_MAX];
    struct text pair, value;

    while (next_pair(&query, semicolons, &pair)) {
        if (!names_account(pair, &value))
            continue;
        decode_name(value, name);
        if (out[0] != '\0' && strcmp(out, name) != 0)
            memcpy(name, "?", 2);
        memcpy(out, name, sizeof(name));
    }
}

void tenant_name_in_query(struct text host, struct text query, char out[TENANT_NAME_MAX])
{
    out[0] = '\0';
    if (query.len == 0 || !is_janus(host))
        return;
    collect_names(query, false, out);
    collect_names(query, true, out);
}

/* ---- IO paths ---- */

/* The first segments that are not empty. */
static size_t split_segments(struct text path, struct text out[SEGMENTS])
{
    const char *at = path.at, *end = path.at + path.len;
    size_t n = 0;

    while (at < end && n < SEGMENTS) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        const char *stop = slash ? slash : end;

        if (stop > at)
            out[n++] = text_span(at, stop);
        at = slash ? slash + 1 : end;
    }
    return n;
}

static enum tenant_named judge_names(const struct text *account, const struct text *workspace,
                                     const struct tenant *ours)
{
    if (!account)
        return TENANT_NONE;
    if (!text_eq_nocase(*account, ours->account))
        return TENANT_OTHER_ACCOUNT;
    if (workspace && !text_eq_nocase(*workspace, ours->workspace))
        return TENANT_OTHER_WORKSPACE;
    return TENANT_OURS;
}

static enum tenant_named in_app_path(struct text path, const struct tenant *ours)
{
    struct text part[SEGMENTS];
    size_t n = split_segments(path, part);

    if (n < 3 || part[1].len < 2 || ascii_lower(part[1].at[0]) != 'v' || part[1].at[1] < '0' ||
        part[1].at[1] > '9')
        return TENANT_NONE;
    /* GraphQL may be called without a workspace, whose place a reserved word takes then */
    return judge_names(&part[2], n > 3 && !text_eq(part[3], TEXT("_v")) ? &part[3] : NULL, ours);
}

static enum tenant_named in_platform_path(struct text path, const struct tenant *ours)
{
    struct text part[SEGMENTS];
    size_t n = split_segments(path, part);
    bool router = text_starts(path, TEXT("//")) ||
                  (n > 2 && (text_eq(part[2], TEXT("io")) || text_eq(part[2], TEXT("services"))));

    if (n == 0 || part[0].at[0] == '_')
        return TENANT_NONE;
    return judge_names(&part[0], router && n > 1 ? &part[1] : NULL, ours);
}

enum tenant_named tenant_in_path(struct text host, struct text path, const struct tenant *ours)
{
    if (text_eq(host, TEXT("app.io.vtex.com")) || text_eq(host, TEXT("infra.io.vtex.com")))
        return in_app_path(path, ours);
    if (text_eq(host, TEXT("platform.io.vtex.com")))
        return in_platform_path(path, ours);
    return TENANT_NONE;
}
