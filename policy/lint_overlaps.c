/* Rules that other rules make needless.
 *
 * A wildcard covers another pattern exactly if it matches that pattern's text with a letter of its
 * own in the place of each star: the stars of the one must swallow those of the other. */
#include <stdlib.h>

#include "config/memory.h"
#include "policy/compile.h"
#include "policy/lint.h"
#include "policy/lint_parts.h"

enum { PORT_HTTP = 80, PORT_HTTPS = 443 };

static bool is_default_port(uint16_t port)
{
    return port == PORT_HTTP || port == PORT_HTTPS;
}

static bool port_covers(uint16_t outer, uint16_t inner)
{
    return outer == 0 || outer == inner || (is_default_port(outer) && is_default_port(inner));
}

static bool is_wild(const char *host)
{
    return strchr(host, '*') != NULL;
}

/* Of the wildcards only "*" is for addresses, and that not for those of IPv6. */
static bool is_address(const char *host)
{
    return strchr(host, ':') || host[strspn(host, "0123456789.")] == '\0';
}

/* A host byte that `pattern` does not hold, or NUL. */
static char foreign_letter(const char *pattern)
{
    for (const char *letter = "_0zqxjkvw-"; *letter; letter++)
        if (!strchr(pattern, *letter))
            return *letter;
    return '\0';
}

static bool host_covers(const char *outer, const char *inner)
{
    char filled[HOST_MAX + 3], letter = foreign_letter(outer);
    struct pattern *pattern;
    bool covers;

    if (strcmp(outer, inner) == 0)
        return true;
    if (!is_wild(outer) || letter == '\0' || strlen(inner) >= sizeof filled ||
        (is_address(inner) && strcmp(outer, "*") != 0))
        return false;
    memcpy(filled, inner, strlen(inner) + 1);
    for (char *star = filled; (star = strchr(star, '*')) != NULL;)
        *star = letter;
    pattern = pattern_new(PATTERN_HOST, text_of(outer));
    covers = pattern_matches(pattern, text_of(filled));
    pattern_free(pattern);
    return covers;
}

/* Routes of apps are compared by nobody: they look at methods and versions as well. */
static bool is_comparable(const struct rule *rule)
{
    return !rule->deny && !rule->service && rule->methods == METHODS_ALL;
}

bool lint_covers(const struct rule *outer, const struct rule *inner)
{
    return port_covers(outer->port, inner->port) &&
           pattern_matches(outer->path, pattern_source(inner->path)) &&
           host_covers(outer->host, inner->host);
}

/* ---- all of them ---- */

struct overlaps {
    const struct rule **by_host; /* sorted */
    const struct rule **wild;    /* those with a wildcard host */
    size_t n, n_wild, comparisons;
    struct diags *diags;
};

static int compare(const void *left, const void *right)
{
    const struct rule *a = *(const struct rule *const *)left;
    const struct rule *b = *(const struct rule *const *)right;
    struct text x = pattern_source(a->path), y = pattern_source(b->path);
    int order = strcmp(a->host, b->host);

    if (order == 0)
        order = memcmp(x.at, y.at, x.len < y.len ? x.len : y.len);
    if (order == 0)
        order = (x.len > y.len) - (x.len < y.len);
    if (order == 0)
        order = (a->port > b->port) - (a->port < b->port);
    if (order == 0)
        order = (a->kind == POLICY_LICENSE) - (b->kind == POLICY_LICENSE);
    return order ? order : (a > b) - (a < b);
}

static bool is_same(const struct rule *a, const struct rule *b)
{
    return a->kind == b->kind && a->port == b->port && strcmp(a->host, b->host) == 0 &&
           text_eq(pattern_source(a->path), pattern_source(b->path));
}

static void report(struct overlaps *in, const struct rule *rule, const char *how,
                   const struct rule *by, const char *remedy)
{
    diag_warning(in->diags, rule->place,
                 "this policy %s the one at line %u (%s, host \"%s\", path \"%s\"); %s", how,
                 by->place.line, show(text_of(by->name)).text, show(text_of(by->written_host)).text,
                 by->written_path ? show(text_of(by->written_path)).text : "*", remedy);
}

static bool left(struct overlaps *in)
{
    return in->comparisons++ < LINT_COMPARISONS;
}

/* Of two that cover one another the later one is needless. */
static bool makes_needless(const struct rule *outer, const struct rule *inner)
{
    return outer != inner && lint_covers(outer, inner) &&
           (outer < inner || outer->kind != inner->kind || !lint_covers(inner, outer));
}

static const struct rule *find_cover(struct overlaps *in, size_t at, size_t first, size_t end)
{
    const struct rule *rule = in->by_host[at];

    for (size_t i = 0; i < in->n_wild && left(in); i++)
        if (makes_needless(in->wild[i], rule))
            return in->wild[i];
    for (size_t i = first; i < end && !is_wild(rule->host) && left(in); i++)
        if (makes_needless(in->by_host[i], rule))
            return in->by_host[i];
    return NULL;
}

/* The rules of one host: first..end. Those that repeat stand next to each other. */
static void look_at_host(struct overlaps *in, size_t first, size_t end)
{
    const struct rule *original = NULL;

    for (size_t i = first; i < end; i++) {
        const struct rule *rule = in->by_host[i], *cover;

        if (rule->kind != POLICY_OUTBOUND_ACCESS)
            continue; /* a key is needless only if all of its resources are */
        if (original && is_same(original, rule)) {
            report(in, rule, "repeats", original, "remove it");
            continue;
        }
        original = rule;
        cover = find_cover(in, i, first, end);
        if (cover)
            report(in, rule, "is covered by", cover, "one of the two is needless");
    }
}

static void look_at_all(struct overlaps *in)
{
    for (size_t first = 0, end; first < in->n; first = end) {
        end = first + 1;
        while (end < in->n && strcmp(in->by_host[first]->host, in->by_host[end]->host) == 0)
            end++;
        look_at_host(in, first, end);
    }
    if (in->n > 0 && in->comparisons > LINT_COMPARISONS)
        diag_warning(in->diags, (struct place){ .file = in->by_host[0]->place.file },
                     "there are so many policies that not all were compared with one another; "
                     "duplicates were all looked for, policies covered by others not");
}

void lint_overlaps(const struct rule *rules, size_t n, struct diags *diags)
{
    struct overlaps in = { .diags = diags };

    if (n == 0)
        return;
    in.by_host = mem_alloc(n, sizeof(const struct rule *));
    in.wild = mem_alloc(n, sizeof(const struct rule *));
    for (size_t i = 0; i < n; i++) {
        if (is_comparable(&rules[i]))
            in.by_host[in.n++] = &rules[i];
        if (is_comparable(&rules[i]) && is_wild(rules[i].host))
            in.wild[in.n_wild++] = &rules[i];
    }
    if (in.n > 0)
        qsort(in.by_host, in.n, sizeof(const struct rule *), compare);
    look_at_all(&in);
    free(in.by_host);
    free(in.wild);
}
