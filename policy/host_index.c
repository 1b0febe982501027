#include "policy/host_index.h"

#include <stdlib.h>

#include "config/memory.h"
#include "policy/table.h"
#include "policy/wild_index.h"

enum { PORT_HTTP = 80, PORT_HTTPS = 443 };

struct exact_path {
    struct text path; /* the rule's own; here so that a search need not visit the rules */
    const struct rule *rule;
};

/* The rules of one host, or of one wildcard for hosts. */
struct host_group {
    struct pattern *pattern;  /* its source is the host */
    struct exact_path *exact; /* sorted by path, then as in the file */
    size_t n_exact, n_collected;
    struct wild_item *collected; /* until `wild` is made of them */
    struct wild_index *wild;
};

struct host_index {
    struct host_group **groups;
    size_t n_groups;
    struct table by_host;
    struct wild_index *wild; /* the groups with a wildcard */
};

/* ---- building ---- */

static struct host_group *group_for(struct host_index *index, const struct rule *rule)
{
    struct host_group *group = table_get(&index->by_host, text_of(rule->host));

    if (group)
        return group;
    group = mem_alloc(1, sizeof *group);
    group->pattern = pattern_new(PATTERN_HOST, text_of(rule->host));
    index->groups = mem_grow(index->groups, index->n_groups, sizeof(struct host_group *));
    index->groups[index->n_groups++] = group;
    table_put(&index->by_host, pattern_source(group->pattern), group);
    return group;
}

static void file_rule(struct host_group *group, const struct rule *rule)
{
    if (pattern_is_literal(rule->path)) {
        group->exact = mem_grow(group->exact, group->n_exact, sizeof *group->exact);
        group->exact[group->n_exact++] = (struct exact_path){ pattern_source(rule->path), rule };
        return;
    }
    group->collected = mem_grow(group->collected, group->n_collected, sizeof *group->collected);
    group->collected[group->n_collected++] = (struct wild_item){ rule->path, rule };
}

static int compare_exact(const void *left, const void *right)
{
    const struct exact_path *a = left, *b = right;
    int order = affix_compare(AFFIX_FRONT, a->path, b->path);

    return order != 0 ? order : (a->rule > b->rule) - (a->rule < b->rule);
}

static void finish_group(struct host_group *group)
{
    if (group->n_exact > 0)
        qsort(group->exact, group->n_exact, sizeof *group->exact, compare_exact);
    group->wild = wild_index_new(AFFIX_FRONT, group->collected, group->n_collected);
    free(group->collected);
    group->collected = NULL;
}

static void finish(struct host_index *index)
{
    struct wild_item *wild = mem_alloc(index->n_groups, sizeof *wild);
    size_t n = 0;

    for (size_t i = 0; i < index->n_groups; i++) {
        struct host_group *group = index->groups[i];

        finish_group(group);
        if (!pattern_is_literal(group->pattern))
            wild[n++] = (struct wild_item){ group->pattern, group };
    }
    index->wild = wild_index_new(AFFIX_BACK, wild, n);
    free(wild);
}

struct host_index *host_index_new(const struct rule *rules, size_t n_rules)
{
    struct host_index *index = mem_alloc(1, sizeof *index);

    for (size_t i = 0; i < n_rules; i++)
        if (!rules[i].service) /* policy/app_index.h has the others */
            file_rule(group_for(index, &rules[i]), &rules[i]);
    finish(index);
    return index;
}

void host_index_free(struct host_index *index)
{
    if (!index)
        return;
    for (size_t i = 0; i < index->n_groups; i++) {
        struct host_group *group = index->groups[i];

        pattern_free(group->pattern);
        free(group->exact);
        wild_index_free(group->wild);
        free(group);
    }
    table_fini(&index->by_host);
    wild_index_free(index->wild);
    free(index->groups);
    free(index);
}

/* ---- finding ---- */

/* A policy for port 80 or 443 is one for the default port, which is either of them to the clients.
 */
static bool port_fits(const struct rule *rule, uint16_t port)
{
    if (rule->port == 0 || rule->port == port)
        return true;
    return (rule->port == PORT_HTTP || rule->port == PORT_HTTPS) &&
           (port == PORT_HTTP || port == PORT_HTTPS);
}

/* The first of the exact rules whose path is not less than `path`. */
static size_t lower_bound(const struct host_group *group, struct text path)
{
    size_t low = 0, high = group->n_exact;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (affix_compare(AFFIX_FRONT, group->exact[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct rule *find_exact(const struct host_group *group, const struct host_query *query)
{
    size_t i = lower_bound(group, query->path);

    for (; i < group->n_exact && text_eq(group->exact[i].path, query->path); i++)
        if (port_fits(group->exact[i].rule, query->port))
            return group->exact[i].rule;
    return NULL;
}

/* Of those that match, the first in the file. */
static const struct rule *find_wild(const struct host_group *group, const struct host_query *query)
{
    const struct rule *found = NULL, *rule;
    struct wild_walk walk;

    wild_walk_init(&walk, group->wild, query->path);
    while ((rule = wild_walk_next(&walk)) != NULL)
        if (port_fits(rule, query->port))
            walk.before = found = rule;
    return found;
}

static const struct rule *find_in_group(const struct host_group *group,
                                        const struct host_query *query, bool *host_named)
{
    const struct rule *found = find_exact(group, query);

    *host_named = true;
    return found ? found : find_wild(group, query);
}

/* "*.4" is for names; of the wildcards only "*" is for addresses too. */
static bool is_for(const struct host_group *group, const struct host_query *query)
{
    return !query->is_address || pattern_source(group->pattern).len == 1;
}

static const struct rule *find_by_wildcard(const struct host_index *index,
                                           const struct host_query *query, bool *host_named)
{
    const struct rule *found = NULL;
    const struct host_group *group;
    struct wild_walk walk;

    wild_walk_init(&walk, index->wild, query->host);
    while (!found && (group = wild_walk_next(&walk)) != NULL)
        if (is_for(group, query))
            found = find_in_group(group, query, host_named);
    return found;
}

const struct rule *host_index_find(const struct host_index *index, const struct host_query *query,
                                   bool *host_named)
{
    const struct host_group *group = table_get(&index->by_host, query->host);
    const struct rule *found = group ? find_in_group(group, query, host_named) : NULL;

    return found ? found : find_by_wildcard(index, query, host_named);
}
