#include "policy/nearest.h"

#include "policy/destination.h"

enum host_class { SAME_HOST, COVERING_WILDCARD, SAME_NAME, OTHER_HOST };

/* Less is nearer; compared from the first member to the last. */
struct distance {
    unsigned class, labels, spelling, path;
};

struct search {
    const struct nearest_query *query;
    unsigned public;                 /* labels of the host that say nothing */
    unsigned budget[OTHER_HOST + 1]; /* of spellings still to measure, so that strangers use up
                                        nothing of what relatives need */
    bool found;
    struct distance best;
    const char *last_host; /* rules of one host often stand together */
    struct distance last;
};

/* ---- hosts ---- */

/* How many whole labels two hosts share, from the end. */
static unsigned common_labels(struct text a, struct text b)
{
    unsigned n = 0;

    while (a.len > 0 && b.len > 0 && a.at[a.len - 1] == b.at[b.len - 1]) {
        n += a.at[a.len - 1] == '.';
        a.len--;
        b.len--;
    }
    if ((a.len == 0 || a.at[a.len - 1] == '.') && (b.len == 0 || b.at[b.len - 1] == '.'))
        n++;
    return n;
}

static unsigned count(struct text value, char c)
{
    unsigned n = 0;

    for (size_t i = 0; i < value.len; i++)
        n += value.at[i] == c;
    return n;
}

/* Labels that anybody can register under: "com", "com.br". A guess is enough to call hosts near. */
static unsigned public_labels(struct text host)
{
    static const char *const second[] = { ".com.", ".co.",  ".org.", ".net.",
                                          ".gov.", ".edu.", ".gob.", ".ind." };

    if (host.len < 3 || host.at[host.len - 3] != '.')
        return 1;
    for (size_t i = 0; i < sizeof second / sizeof *second; i++) {
        struct text head = { host.at, host.len - 2 };

        if (text_ends(head, text_of(second[i])) || text_eq(head, text_of(second[i] + 1)))
            return 2;
    }
    return 1;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance. */
static unsigned spelling(struct text a, struct text b)
{
    unsigned row[HOST_MAX + 4];

    if (b.len >= sizeof row / sizeof *row)
        return (unsigned)(a.len + b.len);
    for (unsigned j = 0; j <= b.len; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned diagonal = row[0];

        row[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned replaced = diagonal + (a.at[i - 1] != b.at[j - 1]);

            diagonal = row[j];
            row[j] = least(replaced, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[b.len];
}

static bool wildcard_covers(struct text pattern, struct text host)
{
    struct pattern *made;
    bool covers;

    if (!memchr(pattern.at, '*', pattern.len))
        return false;
    made = pattern_new(PATTERN_HOST, pattern);
    covers = pattern_matches(made, host);
    pattern_free(made);
    return covers;
}

/* Before spelling is looked at. */
static bool is_farther(const struct search *search, struct distance here)
{
    return search->found &&
           (here.class > search->best.class ||
            (here.class == search->best.class && here.labels > search->best.labels));
}

static struct distance host_distance(struct search *search, struct text host)
{
    struct text asked = search->query->host;
    unsigned common = common_labels(host, asked);
    struct distance out = { .class = OTHER_HOST };

    if (text_eq(host, asked)) {
        out.class = SAME_HOST;
        return out;
    }
    if (wildcard_covers(host, asked)) {
        out.class = COVERING_WILDCARD;
        out.spelling = (unsigned)(HOST_MAX + 3 - least(HOST_MAX + 3, (unsigned)host.len));
        return out;
    }
    if (common > search->public) {
        out.class = SAME_NAME;
        out.labels = count(host, '.') + count(asked, '.') + 2 - 2 * common;
    }
    out.spelling = (unsigned)(host.len + asked.len);
    if (search->budget[out.class] > 0 && !is_farther(search, out)) {
        search->budget[out.class]--;
        out.spelling = spelling(host, asked);
    }
    return out;
}

static struct distance remembered_distance(struct search *search, const char *host)
{
    if (!search->last_host || strcmp(search->last_host, host) != 0) {
        search->last = host_distance(search, text_of(host));
        search->last_host = host;
    }
    return search->last;
}

/* ---- paths ---- */

static unsigned segments(struct text rest)
{
    return count(rest, '/') + (rest.len > 0 && rest.at[0] != '/');
}

/* Segments that are not shared; letters decide between equals. */
static unsigned path_distance(const struct pattern *pattern, struct text path)
{
    enum { LETTERS = 256 };
    struct text source = pattern_source(pattern);
    size_t common = 0;

    if (pattern_matches(pattern, path))
        return 0;
    while (common < source.len && common < path.len && source.at[common] == path.at[common])
        common++;
    return LETTERS * (segments((struct text){ source.at + common, source.len - common }) +
                      segments((struct text){ path.at + common, path.len - common })) +
           LETTERS - least(LETTERS - 1, (unsigned)common);
}

/* ---- both ---- */

static bool is_nearer(struct distance a, struct distance b)
{
    if (a.class != b.class)
        return a.class < b.class;
    if (a.labels != b.labels)
        return a.labels < b.labels;
    if (a.spelling != b.spelling)
        return a.spelling < b.spelling;
    return a.path < b.path;
}

const struct rule *nearest_rule(const struct rule *rules, size_t n,
                                const struct nearest_query *query)
{
    struct search search = {
        .query = query,
        .public = public_labels(query->host),
        .budget = { [SAME_NAME] = NEAREST_SPELLINGS, [OTHER_HOST] = NEAREST_SPELLINGS }
    };
    const struct rule *nearest = NULL;

    for (size_t i = 0; i < n; i++) {
        struct distance here;

        if (rules[i].deny)
            continue; /* near or not, it opens nothing */
        here = remembered_distance(&search, rules[i].host);
        here.path = 0;
        if (nearest && !is_nearer(here, search.best))
            continue; /* not even with the best of paths */
        here.path = path_distance(rules[i].path, query->path);
        if (nearest && !is_nearer(here, search.best))
            continue;
        nearest = &rules[i];
        search.best = here;
        search.found = true;
    }
    return nearest;
}

bool nearest_fits(const struct rule *rule, const struct nearest_query *query)
{
    struct text host = text_of(rule->host);

    return rule->port != 0 && (text_eq(host, query->host) || wildcard_covers(host, query->host)) &&
           pattern_matches(rule->path, query->path);
}
