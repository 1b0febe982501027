#include "policy/app_index.h"

#include <stdlib.h>

#include "config/memory.h"
#include "policy/readings.h"
#include "policy/table.h"

#define APP_HOST "app.io.vtex.com"

enum { KEY_MAX = 600 };

/* The rules of one service. */
struct service {
    char *key; /* host + '/' + name */
    const struct rule **rules;
    size_t n_rules;
};

struct app_index {
    struct service **services;
    size_t n_services;
    struct table opening, denying; /* the keys of the second one are in lower case */
    bool named_app, named_infra;
};

/* ---- building ---- */

/* False if it does not fit: then no rule has it. */
static bool make_key(struct text host, struct text name, char out[KEY_MAX], struct text *key)
{
    if (host.len + 1 + name.len > KEY_MAX)
        return false;
    memcpy(out, host.at, host.len);
    out[host.len] = '/';
    memcpy(out + host.len + 1, name.at, name.len);
    *key = (struct text){ out, host.len + 1 + name.len };
    return true;
}

static void file_rule(struct app_index *index, const struct rule *rule)
{
    struct table *table = rule->deny ? &index->denying : &index->opening;
    struct service *service;
    struct text key;
    char buffer[KEY_MAX];

    if (!make_key(text_of(rule->host), text_of(rule->service), buffer, &key))
        return;
    service = table_get(table, key);
    if (!service) {
        service = mem_alloc(1, sizeof *service);
        service->key = text_dup(key);
        index->services = mem_grow(index->services, index->n_services, sizeof(struct service *));
        index->services[index->n_services++] = service;
        table_put(table, (struct text){ service->key, key.len }, service);
    }
    service->rules = mem_grow(service->rules, service->n_rules, sizeof(const struct rule *));
    service->rules[service->n_rules++] = rule;
}

struct app_index *app_index_new(const struct rule *rules, size_t n_rules)
{
    struct app_index *index = mem_alloc(1, sizeof *index);

    for (size_t i = 0; i < n_rules; i++) {
        if (!rules[i].service)
            continue;
        file_rule(index, &rules[i]);
        if (!rules[i].deny && strcmp(rules[i].host, APP_HOST) == 0)
            index->named_app = true;
        else if (!rules[i].deny)
            index->named_infra = true;
    }
    return index;
}

void app_index_free(struct app_index *index)
{
    if (!index)
        return;
    for (size_t i = 0; i < index->n_services; i++) {
        free(index->services[i]->key);
        free(index->services[i]->rules);
        free(index->services[i]);
    }
    free(index->services);
    table_fini(&index->opening);
    table_fini(&index->denying);
    free(index);
}

/* ---- what opens ---- */

/* Takes "/segment" off the front of `rest`. */
static bool take_segment(struct text *rest, struct text *segment)
{
    const char *end = rest->at + rest->len, *stop;

    if (rest->len == 0 || rest->at[0] != '/')
        return false;
    stop = rest->len > 1 ? memchr(rest->at + 1, '/', rest->len - 1) : NULL;
    if (!stop)
        stop = end;
    *segment = text_span(rest->at + 1, stop);
    *rest = text_span(stop, end);
    return segment->len > 0;
}

/* "v2"; no zeros in front. */
static bool major_of(struct text segment, int *major)
{
    unsigned long long value;

    if (segment.len < 2 || segment.at[0] != 'v' || (segment.at[1] == '0' && segment.len > 2) ||
        !text_to_uint((struct text){ segment.at + 1, segment.len - 1 }, 999999999, &value))
        return false;
    *major = (int)value;
    return true;
}

struct route {
    struct text service, rest;
    int major;
};

static bool route_of(const struct app_query *query, struct route *out)
{
    struct text version, account, workspace;

    out->rest = query->path;
    return take_segment(&out->rest, &out->service) && take_segment(&out->rest, &version) &&
           major_of(version, &out->major) && take_segment(&out->rest, &account) &&
           text_eq(account, query->ours.account) && take_segment(&out->rest, &workspace) &&
           text_eq(workspace, query->ours.workspace);
}

/* A method is case-sensitive (RFC 9110, 9.1): "get" is not GET, and only a rule for all opens it. */
static unsigned opening_bit(struct text method)
{
    if (!method.at)
        return METHODS_ALL;
    for (size_t i = 0; i < method.len; i++)
        if (method.at[i] < 'A' || method.at[i] > 'Z')
            return METHOD_OTHER;
    return method_bit(method);
}

static bool opens(const struct rule *rule, unsigned bit, const struct route *route)
{
    return (rule->methods & bit) && (rule->major == MAJOR_ANY || rule->major == route->major) &&
           pattern_matches(rule->route, route->rest);
}

bool app_rule_opens(const struct rule *rule, const struct app_query *query)
{
    struct route route;

    return !rule->deny && text_eq(query->host, text_of(rule->host)) && route_of(query, &route) &&
           text_eq(route.service, text_of(rule->service)) &&
           opens(rule, opening_bit(query->method), &route);
}

const struct rule *app_index_find(const struct app_index *index, const struct app_query *query,
                                  bool *host_named)
{
    const struct service *service;
    struct route route;
    unsigned bit;
    struct text key;
    char buffer[KEY_MAX];

    if (text_eq(query->host, TEXT(APP_HOST))
            ? index->named_app
            : index->named_infra && text_eq(query->host, TEXT("infra.io.vtex.com")))
        *host_named = true;
    else
        return NULL;
    if (!route_of(query, &route) || !make_key(query->host, route.service, buffer, &key))
        return NULL;
    bit = opening_bit(query->method);
    service = table_get(&index->opening, key);
    for (size_t i = 0; service && i < service->n_rules; i++)
        if (opens(service->rules[i], bit, &route))
            return service->rules[i];
    return NULL;
}

/* ---- what denies ---- */

enum { NAMES = 4 };

/* The path in lower case, cut into the segments that are not empty. */
struct loose {
    char bytes[PATH_MAX_BYTES + 1]; /* room for one '/' behind */
    size_t len;
    struct text segment[NAMES];
    size_t n;
};

static void loosen(struct text path, struct loose *out)
{
    const char *at = out->bytes, *end;

    out->len = path.len > PATH_MAX_BYTES ? PATH_MAX_BYTES : path.len;
    out->n = 0;
    for (size_t i = 0; i < out->len; i++)
        out->bytes[i] = ascii_lower(path.at[i]);
    end = out->bytes + out->len;
    while (at < end && out->n < NAMES) {
        const char *slash = memchr(at, '/', (size_t)(end - at));

        if (!slash)
            slash = end;
        if (slash > at)
            out->segment[out->n++] = text_span(at, slash);
        at = slash < end ? slash + 1 : end;
    }
}

/* With and without a '/' at its end; a "/x/" of ours closes "/x" as well. What is written here is
 * there already, or stands behind the path. */
static bool closes(const struct rule *rule, struct loose *path, size_t from)
{
    struct text rest = { path->bytes + from, path->len - from };

    if (pattern_matches(rule->route, rest))
        return true;
    while (rest.len > 0 && rest.at[rest.len - 1] == '/')
        rest.len--;
    if (pattern_matches(rule->route, rest))
        return true;
    path->bytes[from + rest.len] = '/';
    rest.len++;
    return pattern_matches(rule->route, rest);
}

/* Is it laid out as the clients write it? Otherwise the route may begin behind any segment. */
static bool is_regular(const struct loose *path, const struct tenant *ours)
{
    return path->n == NAMES && path->segment[1].len > 1 && path->segment[1].at[0] == 'v' &&
           path->segment[1].at[1] >= '0' && path->segment[1].at[1] <= '9' &&
           text_eq_nocase(path->segment[2], ours->account) &&
           text_eq_nocase(path->segment[3], ours->workspace);
}

static bool closes_somewhere(const struct rule *rule, struct loose *path, const struct tenant *ours)
{
    for (size_t i = is_regular(path, ours) ? NAMES - 1 : 0; i < path->n; i++) {
        const struct text *segment = &path->segment[i];

        if (closes(rule, path, (size_t)(segment->at + segment->len - path->bytes)))
            return true;
    }
    return false;
}

/* "vtex.messages@1.2.3" is vtex.messages, and "vtex.messages." too. */
static struct text bare_name(struct text segment)
{
    const char *at = memchr(segment.at, '@', segment.len);

    if (at)
        segment = text_span(segment.at, at);
    while (segment.len > 0 && segment.at[segment.len - 1] == '.')
        segment.len--;
    return segment;
}

static unsigned denying_bit(struct text method)
{
    unsigned bit = method.at ? method_bit(method) : METHODS_ALL;

    return bit == method_bit(TEXT("HEAD")) ? bit | method_bit(TEXT("GET")) : bit;
}

bool app_index_has_denials(const struct app_index *index)
{
    return index->denying.n > 0;
}

const struct rule *app_index_denies(const struct app_index *index, const struct app_query *query)
{
    const struct service *service;
    struct loose path;
    char buffer[KEY_MAX];
    struct text key;
    unsigned bit;

    if (index->denying.n == 0 || !text_eq(query->host, TEXT(APP_HOST)))
        return NULL;
    loosen(query->path, &path);
    if (path.n == 0 || !make_key(query->host, bare_name(path.segment[0]), buffer, &key))
        return NULL;
    bit = denying_bit(query->method);
    service = table_get(&index->denying, key);
    for (size_t i = 0; service && i < service->n_rules; i++)
        if ((service->rules[i]->methods & bit) &&
            closes_somewhere(service->rules[i], &path, &query->ours))
            return service->rules[i];
    return NULL;
}
