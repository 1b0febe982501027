/* When one rule makes another needless.
 *
 *   inner        outer: host and path                  outer: a route of a service
 *   host, path   host, port and path                   host; the path is laid out as a route of it
 *   a route      host; the path with all of the route  service, version, methods and route
 *
 * A wildcard covers another pattern exactly if it matches that pattern's text with a letter of its
 * own in the place of each star: the stars of the one must swallow those of the other. */
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
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

/* ---- routes ---- */

char *lint_route_path(const struct rule *rule, const char *version, const struct tenant *ours)
{
    struct text route = pattern_source(rule->route);
    char *path = NULL;

    if (asprintf(&path, "/%s/%s/%.*s/%.*s%.*s", rule->service, version, TEXT_ARG(ours->account),
                 TEXT_ARG(ours->workspace), TEXT_ARG(route)) < 0)
        abort();
    return path;
}

static bool route_covers_route(const struct rule *outer, const struct rule *inner)
{
    return strcmp(outer->host, inner->host) == 0 && strcmp(outer->service, inner->service) == 0 &&
           (outer->methods & inner->methods) == inner->methods &&
           (outer->major == MAJOR_ANY || outer->major == inner->major) &&
           pattern_covers(outer->route, inner->route);
}

static bool path_covers_route(const struct rule *outer, const struct rule *inner,
                              const struct tenant *ours)
{
    char version[24] = "v*", *path;
    bool covers;

    if (outer->port != 0 || !host_covers(outer->host, inner->host))
        return false;
    if (inner->major != MAJOR_ANY)
        snprintf(version, sizeof version, "v%d", inner->major);
    path = lint_route_path(inner, version, ours);
    covers = pattern_matches(outer->path, text_of(path));
    free(path);
    return covers;
}

/* Methods and versions of the path are as literal as its segments: a star there is none of them. */
static bool route_covers_path(const struct rule *outer, const struct rule *inner,
                              const struct tenant *ours)
{
    struct app_query query = { text_of(inner->host), pattern_source(inner->path), TEXT_NONE,
                               *ours };

    return outer->methods == METHODS_ALL && app_rule_opens(outer, &query);
}

bool lint_covers(const struct rule *outer, const struct rule *inner, const struct tenant *ours)
{
    if (outer->service && inner->service)
        return route_covers_route(outer, inner);
    if (inner->service)
        return path_covers_route(outer, inner, ours);
    if (outer->service)
        return route_covers_path(outer, inner, ours);
    return port_covers(outer->port, inner->port) && pattern_covers(outer->path, inner->path) &&
           host_covers(outer->host, inner->host);
}
