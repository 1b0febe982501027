/* What a provider closes again: an allow is asked for as if it were a request, a star in it being a
 * letter that only a star of the denial can take. */
#include <stdlib.h>

#include "policy/compile.h"
#include "policy/lint.h"
#include "policy/lint_parts.h"
#include "policy/readings.h"

static const char *const methods[] = { "GET",   "HEAD",    "POST",  "PUT",     "DELETE",
                                       "PATCH", "OPTIONS", "TRACE", "CONNECT", "OTHER" };
enum { N_METHODS = sizeof methods / sizeof *methods };

/* The denial of the last method, if each method that the rule opens has one. */
static const struct rule *closed_by(const struct policy *policy, const struct rule *rule,
                                    struct text path)
{
    struct app_query query = { text_of(rule->host), path, TEXT_NONE, policy->tenant };
    const struct rule *found = NULL;

    for (size_t i = 0; i < N_METHODS && path.len <= PATH_MAX_BYTES; i++) {
        query.method = text_of(methods[i]);
        if (!(rule->methods & method_bit(query.method)))
            continue;
        found = app_index_denies(policy->apps, &query);
        if (!found)
            return NULL;
    }
    return found;
}

/* Up to the route: what a star stands for there may be another app. */
static bool names_a_route(struct text path)
{
    size_t n_slashes = 0;

    for (size_t i = 0; i < path.len && path.at[i] != '*'; i++)
        if (path.at[i] == '/' && ++n_slashes > 4)
            return true;
    return false;
}

static const struct rule *closed_rule(const struct policy *policy, const struct rule *rule)
{
    struct tenant ours = policy->tenant;
    const struct rule *found;
    char *path;

    if (rule->deny || (rule->service && rule->kind != POLICY_APP))
        return NULL;
    if (!rule->service)
        return names_a_route(pattern_source(rule->path))
                   ? closed_by(policy, rule, pattern_source(rule->path))
                   : NULL;
    path = lint_route_path(rule, "v0", &ours); /* denials are for any version */
    found = closed_by(policy, rule, text_of(path));
    free(path);
    return found;
}

static size_t n_denials(const struct policy *policy)
{
    size_t n = 0;

    for (size_t i = 0; i < policy->n_rules; i++)
        n += policy->rules[i].deny;
    return n;
}

void lint_closed(const struct policy *policy, struct diags *diags)
{
    size_t left = app_index_has_denials(policy->apps)
                      ? LINT_COMPARISONS / (1 + n_denials(policy) * N_METHODS) + 1
                      : 0;

    for (size_t i = 0; i < policy->n_rules && left > 0; i++) {
        const struct rule *rule = &policy->rules[i], *by;

        if (strcmp(rule->host, "app.io.vtex.com") != 0 || rule->deny)
            continue;
        by = closed_rule(policy, rule);
        if (by)
            diag_warning(
                diags, rule->place, "this never matches: \"%s\" closes all that it opens, %s:%u",
                show(text_of(by->name)).text, show(text_of(by->place.file)).text, by->place.line);
        if (--left == 0)
            diag_warning(diags, (struct place){ .file = policy->file },
                         "there are so many denials that not every policy was compared with them");
    }
}
