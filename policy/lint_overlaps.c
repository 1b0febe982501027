/* Rules that other rules make needless.
 *
 *   rules, sorted:   host a           host app.io.vtex.com                    …
 *                    paths …          paths … | routes of vtex.x | of vtex.y
 *
 * A rule is compared with those whose host is a wildcard, with those for paths of its own host, and
 * with routes: one for a route with those of its service, one for a path with all of its host. */
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "policy/compile.h"
#include "policy/lint.h"
#include "policy/lint_parts.h"

struct overlaps {
    const struct policy *policy;
    struct tenant ours;
    const struct rule **sorted, **wild; /* the latter: wildcard hosts */
    const struct rule **cover;          /* of each key's rule in policy->rules: who covers it */
    size_t n, n_wild, comparisons;
    struct diags *diags;
};

/* first..end of one host, of which routes..end are for routes */
struct host_run {
    size_t first, routes, end;
};

static bool is_wild(const char *host)
{
    return strchr(host, '*') != NULL;
}

static bool left(struct overlaps *in)
{
    return in->comparisons++ < LINT_COMPARISONS;
}

/* ---- order ---- */

static const char *service_of(const struct rule *rule)
{
    return rule->service ? rule->service : "";
}

static int compare_text(struct text x, struct text y)
{
    int order = memcmp(x.at, y.at, x.len < y.len ? x.len : y.len);

    return order ? order : (x.len > y.len) - (x.len < y.len);
}

static int compare(const void *left_one, const void *right_one)
{
    const struct rule *a = *(const struct rule *const *)left_one;
    const struct rule *b = *(const struct rule *const *)right_one;
    int order = strcmp(a->host, b->host);

    if (order == 0)
        order = strcmp(service_of(a), service_of(b));
    if (order == 0)
        order = compare_text(pattern_source(a->path), pattern_source(b->path));
    if (order == 0)
        order = (a->port > b->port) - (a->port < b->port);
    if (order == 0)
        order = (a->kind == POLICY_LICENSE) - (b->kind == POLICY_LICENSE);
    return order ? order : (a > b) - (a < b);
}

static struct host_run host_run_from(const struct overlaps *in, size_t first)
{
    struct host_run run = { first, first, first };
    const char *host = in->sorted[first]->host;

    while (run.end < in->n && strcmp(in->sorted[run.end]->host, host) == 0) {
        run.routes += !in->sorted[run.end]->service;
        run.end++;
    }
    return run;
}

/* ---- what is needless ---- */

static bool is_dependency(const struct rule *rule)
{
    return rule->kind == POLICY_APP && !strchr(rule->name, ':');
}

static bool is_repeat(const struct rule *a, const struct rule *b)
{
    return a->kind == POLICY_OUTBOUND_ACCESS && b->kind == a->kind && a->port == b->port &&
           strcmp(a->host, b->host) == 0 &&
           text_eq(pattern_source(a->path), pattern_source(b->path));
}

/* Rules of one row of the manifest, or of a row that stands there twice: lint_rows() tells of that. */
static bool is_same_row(const struct overlaps *in, const struct rule *a, const struct rule *b)
{
    bool in_manifest = a->place.file == in->policy->file && b->place.file == in->policy->file;

    if (a->place.file == b->place.file && a->place.line == b->place.line &&
        a->place.column == b->place.column)
        return true;
    return in_manifest && a->kind != POLICY_OUTBOUND_ACCESS && strcmp(a->name, b->name) == 0 &&
           lint_covers(a, b, &in->ours) && lint_covers(b, a, &in->ours);
}

/* Of two that open the same the later one is needless, and outbound-access beside something else. */
static bool makes_needless(const struct overlaps *in, const struct rule *outer,
                           const struct rule *inner)
{
    bool outbound = inner->kind == POLICY_OUTBOUND_ACCESS;

    if (outer == inner || !lint_covers(outer, inner, &in->ours) || is_same_row(in, outer, inner))
        return false;
    if (!lint_covers(inner, outer, &in->ours))
        return true;
    return outbound == (outer->kind == POLICY_OUTBOUND_ACCESS) ? outer < inner : outbound;
}

static const struct rule *find_among(struct overlaps *in, const struct rule *rule, size_t from,
                                     size_t to)
{
    for (size_t i = from; i < to && left(in); i++)
        if (makes_needless(in, in->sorted[i], rule))
            return in->sorted[i];
    return NULL;
}

/* The routes of one service stand together. */
static const struct rule *find_among_routes(struct overlaps *in, size_t at,
                                            const struct host_run *run)
{
    const struct rule *rule = in->sorted[at];
    size_t from = at, to = at;

    if (!rule->service)
        return find_among(in, rule, run->routes, run->end);
    while (from > run->routes && strcmp(in->sorted[from - 1]->service, rule->service) == 0)
        from--;
    while (to < run->end && strcmp(in->sorted[to]->service, rule->service) == 0)
        to++;
    return find_among(in, rule, from, to);
}

static const struct rule *find_cover(struct overlaps *in, size_t at, const struct host_run *run)
{
    const struct rule *rule = in->sorted[at], *found;

    for (size_t i = 0; i < in->n_wild && left(in); i++)
        if (makes_needless(in, in->wild[i], rule))
            return in->wild[i];
    if (is_wild(rule->host))
        return NULL;
    found = find_among(in, rule, run->first, run->routes);
    return found ? found : find_among_routes(in, at, run);
}

/* ---- saying it ---- */

enum { WHERE_MAX = 160 };

/* "line 12", or with the file where that is another one. */
static const char *where(const struct rule *rule, const struct rule *by, char out[WHERE_MAX])
{
    if (by->place.file == rule->place.file)
        snprintf(out, WHERE_MAX, "line %u", by->place.line);
    else
        snprintf(out, WHERE_MAX, "%s:%u", show(text_of(by->place.file)).text, by->place.line);
    return out;
}

static void report(const struct overlaps *in, const struct rule *rule, const char *how,
                   const struct rule *by, const char *remedy)
{
    char at[WHERE_MAX];

    diag_warning(in->diags, rule->place, "this %s the one at %s (%s, host \"%s\", path \"%s\"); %s",
                 how, where(rule, by, at), show(text_of(by->name)).text,
                 show(text_of(by->written_host)).text,
                 by->written_path ? show(text_of(by->written_path)).text : "*", remedy);
}

static bool is_whole_app(const struct rule *rule)
{
    return text_eq(pattern_source(rule->route), TEXT("*"));
}

static void report_cover(const struct overlaps *in, const struct rule *rule, const struct rule *by)
{
    if (rule->kind == POLICY_OUTBOUND_ACCESS)
        report(in, rule, "policy is covered by", by, "one of the two is needless");
    else if (rule->kind == POLICY_LICENSE)
        report(in, rule, "key opens nothing here beside", by,
               "at VTEX it may give rights besides, so keep it if the app needs them");
    else if (rule->place.file == in->policy->file && by->kind == POLICY_APP && is_whole_app(by))
        report(in, rule, "policy opens no more than", by,
               "only the app's policies.json in --provider-policies can tell them apart");
    else
        report(in, rule, "opens nothing beside", by, "one of the two is needless");
}

/* ---- all of them ---- */

/* Of a key we only remember it: it is needless if all of its resources are. */
static void look_at_rule(struct overlaps *in, size_t at, const struct host_run *run)
{
    const struct rule *rule = in->sorted[at], *cover = find_cover(in, at, run);

    if (cover && rule->kind == POLICY_LICENSE)
        in->cover[rule - in->policy->rules] = cover;
    else if (cover)
        report_cover(in, rule, cover);
}

/* Those that repeat stand next to each other. */
static void look_at_host(struct overlaps *in, const struct host_run *run)
{
    const struct rule *original = NULL;

    for (size_t i = run->first; i < run->end; i++) {
        const struct rule *rule = in->sorted[i];

        if (is_dependency(rule))
            continue; /* it is there to be installed, not to open something */
        if (original && is_repeat(original, rule)) {
            report(in, rule, "policy repeats", original, "remove it");
            continue;
        }
        original = rule;
        look_at_rule(in, i, run);
    }
}

/* The rules of one key follow one another, at one place. */
static void look_at_keys(const struct overlaps *in)
{
    const struct rule *rules = in->policy->rules;

    for (size_t first = 0, end; first < in->policy->n_rules; first = end) {
        bool needless = rules[first].kind == POLICY_LICENSE && in->cover[first];

        for (end = first + 1; end < in->policy->n_rules && rules[end].kind == POLICY_LICENSE &&
                              rules[end].place.line == rules[first].place.line &&
                              rules[end].place.column == rules[first].place.column &&
                              strcmp(rules[end].name, rules[first].name) == 0;
             end++)
            needless = needless && in->cover[end];
        if (needless)
            report_cover(in, &rules[first], in->cover[first]);
    }
}

static void look_at_all(struct overlaps *in)
{
    for (size_t first = 0; first < in->n;) {
        struct host_run run = host_run_from(in, first);

        look_at_host(in, &run);
        first = run.end;
    }
    look_at_keys(in);
    if (in->comparisons > LINT_COMPARISONS)
        diag_warning(in->diags, (struct place){ .file = in->policy->file },
                     "there are so many policies that not all were compared with one another; "
                     "duplicates were all looked for, policies covered by others not");
}

void lint_overlaps(const struct policy *policy, struct diags *diags)
{
    struct overlaps in = { .policy = policy, .ours = policy->tenant, .diags = diags };

    if (policy->n_rules == 0)
        return;
    in.sorted = mem_alloc(policy->n_rules, sizeof(const struct rule *));
    in.wild = mem_alloc(policy->n_rules, sizeof(const struct rule *));
    in.cover = mem_alloc(policy->n_rules, sizeof(const struct rule *));
    for (size_t i = 0; i < policy->n_rules; i++) {
        const struct rule *rule = &policy->rules[i];

        if (!rule->deny)
            in.sorted[in.n++] = rule;
        if (!rule->deny && is_wild(rule->host))
            in.wild[in.n_wild++] = rule;
    }
    if (in.n > 0)
        qsort(in.sorted, in.n, sizeof(const struct rule *), compare);
    look_at_all(&in);
    free(in.sorted);
    free(in.wild);
    free(in.cover);
}
