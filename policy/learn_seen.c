/* The requests that were observed, each distinct one once. A search tree finds them and no hash table:
 * clients chose these keys. */
#include <search.h>
#include <stdlib.h>

#include "config/memory.h"
#include "policy/learn_parts.h"

struct destination observation_where(const struct observation *seen)
{
    struct destination where = { .scheme = SCHEME_HTTPS,
                                 .port = seen->port,
                                 .host_len = seen->host_len,
                                 .host_is_address = seen->host_is_address,
                                 .path = seen->path,
                                 .query = seen->query };

    memcpy(where.host, seen->host, seen->host_len + (size_t)1);
    return where;
}

bool observation_allowed(const struct policy *policy, const struct observation *seen)
{
    struct destination where = observation_where(seen);

    return policy_judge(policy, seen->method, &where).kind == VERDICT_ALLOW;
}

static bool has_passed(const struct observation *seen)
{
    return seen->seen[LEARN_ALLOWED] > 0 || seen->seen[LEARN_WOULD_DENY] > 0;
}

bool observation_is_due(const struct observation *seen, bool denied)
{
    return seen->open && !seen->covered && has_passed(seen) != denied;
}

static char *put(char **at, struct text value)
{
    char *from = *at;

    if (value.len > 0)
        memcpy(from, value.at, value.len);
    from[value.len] = '\0';
    *at += value.len + 1;
    return from;
}

static struct observation *observation_new(struct text method, const struct destination *where)
{
    struct text host = { where->host, where->host_len };
    size_t size = host.len + method.len + where->path.len + where->query.len + 4;
    struct observation *made = mem_alloc(1, sizeof *made + size);
    char *at = made->bytes;

    made->host = put(&at, host);
    made->host_len = where->host_len;
    made->host_is_address = where->host_is_address;
    made->port = where->port;
    made->path = (struct text){ put(&at, where->path), where->path.len };
    made->method = (struct text){ put(&at, method), method.len };
    made->query = (struct text){ put(&at, where->query), where->query.len };
    return made;
}

static int compare_texts(struct text a, struct text b)
{
    int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* By host first, then by path. */
static int compare(const void *left, const void *right)
{
    const struct observation *a = left, *b = right;
    int order = strcmp(a->host, b->host);

    if (order == 0)
        order = compare_texts(a->path, b->path);
    if (order == 0)
        order = compare_texts(a->method, b->method);
    if (order == 0)
        order = compare_texts(a->query, b->query);
    return order != 0 ? order : (a->port > b->port) - (a->port < b->port);
}

bool learn_note(struct learn *learn, struct text method, const struct destination *where,
                enum learn_seen seen)
{
    struct observation *made = observation_new(method, where);
    struct observation *const *found = tfind(made, &learn->tree, compare);

    if (found) {
        (*found)->seen[seen]++;
        free(made);
        return true;
    }
    if (learn->n_seen == LEARN_REQUESTS_MAX) {
        free(made);
        return false;
    }
    made->seen[seen]++;
    if (!tsearch(made, &learn->tree, compare))
        abort(); /* memory is gone */
    learn->seen = mem_grow(learn->seen, learn->n_seen, sizeof(struct observation *));
    learn->seen[learn->n_seen++] = made;
    return true;
}

static int compare_pointers(const void *left, const void *right)
{
    return compare(*(const struct observation *const *)left,
                   *(const struct observation *const *)right);
}

void observations_sort(struct learn *learn)
{
    if (learn->n_seen > 0)
        qsort(learn->seen, learn->n_seen, sizeof(struct observation *), compare_pointers);
}

static void nothing(void *seen)
{
    (void)seen; /* it is freed with the list */
}

void observations_fini(struct learn *learn)
{
    tdestroy(learn->tree, nothing);
    for (size_t i = 0; i < learn->n_seen; i++)
        free(learn->seen[i]);
    free(learn->seen);
}
