#include "policy/host_index.h"

#include <stdlib.h>

#include "config/memory.h"
#include "policy/destination.h"
#include "policy/table.h"

enum { PORT_HTTP = 80, PORT_HTTPS = 443, SHAPE_MAX = HOST_MAX + 8 };

/* The rules of one host, or of one wildcard for hosts. */
struct host_group {
    struct pattern *pattern; /* its source is the host */
    struct host_group *next_in_shape;
    const struct rule **exact, **wild;
    size_t n_exact, n_wild;
    char *shape; /* NULL for a literal host */
};

/* How much of a host stands before a wildcard's first star and behind its last. */
struct shape {
    size_t head, tail;
};

struct host_index {
    struct host_group **groups;
    size_t n_groups;
    struct table by_host, by_shape;
    struct shape *shapes; /* those that some wildcard has */
    size_t n_shapes;
};

/* ---- building ---- */

static struct shape shape_of(struct text host)
{
    const char *first = memchr(host.at, '*', host.len), *last = memrchr(host.at, '*', host.len);

    return (struct shape){ (size_t)(first - host.at), (size_t)(host.at + host.len - last - 1) };
}

/* "head*tail" of a host or of a wildcard for hosts; `out` has room for it. Returns its length. */
static size_t shape_key(struct shape shape, struct text host, char *out)
{
    memcpy(out, host.at, shape.head);
    out[shape.head] = '*';
    memcpy(out + shape.head + 1, host.at + (host.len - shape.tail), shape.tail);
    return shape.head + 1 + shape.tail;
}

static void note_shape(struct host_index *index, struct shape shape)
{
    for (size_t i = 0; i < index->n_shapes; i++)
        if (index->shapes[i].head == shape.head && index->shapes[i].tail == shape.tail)
            return;
    index->shapes = mem_grow(index->shapes, index->n_shapes, sizeof shape);
    index->shapes[index->n_shapes++] = shape;
}

static void file_by_shape(struct host_index *index, struct host_group *group)
{
    struct text host = pattern_source(group->pattern), key;
    struct shape shape = shape_of(host);

    group->shape = mem_alloc(host.len + 1, 1);
    key = (struct text){ group->shape, shape_key(shape, host, group->shape) };
    group->next_in_shape = table_get(&index->by_shape, key);
    table_put(&index->by_shape, key, group);
    if (!group->next_in_shape)
        note_shape(index, shape);
}

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
    if (!pattern_is_literal(group->pattern))
        file_by_shape(index, group);
    return group;
}

static void append(const struct rule ***list, size_t *n, const struct rule *rule)
{
    *list = mem_grow(*list, *n, sizeof(const struct rule *));
    (*list)[(*n)++] = rule;
}

static int compare_texts(struct text a, struct text b)
{
    int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* By path, then as in the file. */
static int compare_rules(const void *left, const void *right)
{
    const struct rule *a = *(const struct rule *const *)left;
    const struct rule *b = *(const struct rule *const *)right;
    int order = compare_texts(pattern_source(a->path), pattern_source(b->path));

    return order != 0 ? order : (a > b) - (a < b);
}

struct host_index *host_index_new(const struct rule *rules, size_t n_rules)
{
    struct host_index *index = mem_alloc(1, sizeof *index);

    for (size_t i = 0; i < n_rules; i++) {
        struct host_group *group = rules[i].service ? NULL : group_for(index, &rules[i]);

        if (!group)
            continue; /* policy/app_index.h has those */
        if (pattern_is_literal(rules[i].path))
            append(&group->exact, &group->n_exact, &rules[i]);
        else
            append(&group->wild, &group->n_wild, &rules[i]);
    }
    for (size_t i = 0; i < index->n_groups; i++)
        if (index->groups[i]->n_exact > 0)
            qsort(index->groups[i]->exact, index->groups[i]->n_exact, sizeof(const struct rule *),
                  compare_rules);
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
        free(group->wild);
        free(group->shape);
        free(group);
    }
    table_fini(&index->by_host);
    table_fini(&index->by_shape);
    free(index->groups);
    free(index->shapes);
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

        if (compare_texts(pattern_source(group->exact[middle]->path), path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct rule *find_exact(const struct host_group *group, const struct host_query *query)
{
    for (size_t i = lower_bound(group, query->path); i < group->n_exact; i++) {
        if (!pattern_matches(group->exact[i]->path, query->path))
            return NULL;
        if (port_fits(group->exact[i], query->port))
            return group->exact[i];
    }
    return NULL;
}

static const struct rule *find_in_group(const struct host_group *group,
                                        const struct host_query *query, bool *host_named)
{
    const struct rule *found = find_exact(group, query);

    *host_named = true;
    for (size_t i = 0; !found && i < group->n_wild; i++)
        if (port_fits(group->wild[i], query->port) &&
            pattern_matches(group->wild[i]->path, query->path))
            found = group->wild[i];
    return found;
}

static bool covers_host(const struct host_group *group, const struct host_query *query)
{
    if (query->is_address && pattern_source(group->pattern).len > 1)
        return false; /* "*.4" is for names; only "*" is for addresses too */
    return pattern_matches(group->pattern, query->host);
}

static const struct rule *find_by_shape(const struct host_index *index,
                                        const struct host_query *query, struct shape shape,
                                        bool *host_named)
{
    const struct rule *found = NULL;
    char key[SHAPE_MAX];
    struct host_group *group;

    group = table_get(&index->by_shape, (struct text){ key, shape_key(shape, query->host, key) });
    for (; group && !found; group = group->next_in_shape)
        if (covers_host(group, query))
            found = find_in_group(group, query, host_named);
    return found;
}

static const struct rule *find_wild(const struct host_index *index, const struct host_query *query,
                                    bool *host_named)
{
    const struct rule *found = NULL;

    for (size_t i = 0; i < index->n_shapes && !found; i++)
        if (index->shapes[i].head + index->shapes[i].tail < query->host.len)
            found = find_by_shape(index, query, index->shapes[i], host_named);
    return found;
}

const struct rule *host_index_find(const struct host_index *index, const struct host_query *query,
                                   bool *host_named)
{
    struct host_group *group = table_get(&index->by_host, query->host);
    const struct rule *found = NULL;

    if (group)
        found = find_in_group(group, query, host_named);
    if (!found)
        found = find_wild(index, query, host_named);
    return found;
}
