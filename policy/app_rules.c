#include "policy/app_rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "policy/app_statement.h"
#include "policy/compile.h"

void app_rules_init(struct app_rules *rules)
{
    rules->opened = mem_alloc(rules->providers->n, sizeof *rules->opened);
    for (size_t i = 0; i < rules->providers->n; i++) {
        rules->providers->items[i]->index = i;
        rules->opened[i] = mem_alloc(rules->providers->items[i]->n_policies, sizeof(bool));
    }
}

void app_rules_fini(struct app_rules *rules)
{
    for (size_t i = 0; i < rules->providers->n; i++)
        free(rules->opened[i]);
    free(rules->opened);
}

/* ---- routes ---- */

static char *shown_path(const struct rule_route *route, const struct template_values *values)
{
    char major[24] = "*", *path = NULL;

    if (route->major != MAJOR_ANY)
        snprintf(major, sizeof major, "%d", route->major);
    if (asprintf(&path, "/%.*s/v%s/%.*s/%.*s%s%.*s", TEXT_ARG(route->service), major,
                 TEXT_ARG(values->account), TEXT_ARG(values->workspace),
                 route->route.at[0] == '*' ? "/" : "", TEXT_ARG(route->route)) < 0)
        abort();
    return path;
}

struct rule rule_for_route(const struct rule_route *route, const struct template_values *values)
{
    char *path = shown_path(route, values);
    struct rule rule = {
        .kind = POLICY_APP,
        .written_host = text_dup(text_of(route->host)),
        .written_path = path,
        .host = text_dup(text_of(route->host)),
        .path = pattern_new(PATTERN_PATH, text_of(path)),
        .service = text_dup(route->service),
        .route = pattern_new(PATTERN_PATH, route->route),
        .major = route->major,
        .methods = METHODS_ALL,
    };

    return rule;
}

static void open_whole_app(struct app_rules *rules, struct text app, int major, struct place place,
                           struct text name)
{
    struct rule_route route = { "app.io.vtex.com", app, TEXT("*"), major };
    struct rule rule = rule_for_route(&route, rules->values);

    rule.place = place;
    rule.name = text_dup(name);
    rules->add(rules->context, &rule);
}

/* ---- what the manifest opens ---- */

static void open_statements(struct app_rules *rules, const struct provider *provider,
                            const struct manifest_policy *row, struct text policy)
{
    bool *opened = rules->opened[provider->index];
    bool found = false;

    for (size_t i = 0; i < provider->n_policies; i++) {
        if (!text_eq(provider->policies[i].name, policy))
            continue;
        found = true;
        if (!opened[i])
            app_statements_open(rules, provider, &provider->policies[i], row->name);
        opened[i] = true;
    }
    if (!found)
        diag_warning(rules->diags, row->place,
                     "\"%s\" opens nothing: %s has no policy of that name", show(row->name).text,
                     provider->file);
}

void app_rules_open_policy(struct app_rules *rules, const struct manifest_policy *row)
{
    const char *colon = memchr(row->name.at, ':', row->name.len);
    struct text app = text_span(row->name.at, colon);
    struct text policy = text_span(colon + 1, row->name.at + row->name.len);
    const struct provider *provider;

    if (!is_app_name(app) || policy.len == 0) {
        diag_warning(rules->diags, row->place,
                     "\"%s\" opens nothing here: the policy of an app is written VENDOR.APP:POLICY",
                     show(row->name).text);
        return;
    }
    provider = providers_find(rules->providers, app);
    if (!provider)
        open_whole_app(rules, app, MAJOR_ANY, row->place, row->name);
    else if (provider->broken)
        diag_warning(rules->diags, row->place, "\"%s\" opens nothing: %s cannot be used, see there",
                     show(row->name).text, provider->file);
    else
        open_statements(rules, provider, row, policy);
}

/* "1.x", "^1.2.3", "1": one major; a range that says less means any. */
static int major_of(struct text range)
{
    const char *at = range.at, *end = range.at + range.len;
    unsigned long long value;
    size_t digits = 0;

    if (at < end && (*at == 'v' || *at == '^' || *at == '~' || *at == '='))
        at++;
    while (at + digits < end && at[digits] >= '0' && at[digits] <= '9')
        digits++;
    if (digits == 0 || !text_to_uint((struct text){ at, digits }, 999999999, &value))
        return MAJOR_ANY;
    at += digits;
    if (at < end && *at != '.')
        return MAJOR_ANY;
    return memchr(at, ' ', (size_t)(end - at)) || memchr(at, '|', (size_t)(end - at)) ? MAJOR_ANY
                                                                                      : (int)value;
}

void app_rules_open_dependency(struct app_rules *rules, const struct manifest_dependency *row)
{
    if (!is_app_name(row->app)) {
        diag_warning(rules->diags, row->place,
                     "the dependency \"%s\" opens nothing here: an app is written VENDOR.APP",
                     show(row->app).text);
        return;
    }
    if (!providers_find(rules->providers, row->app))
        open_whole_app(rules, row->app, major_of(text_trim(row->range)), row->place, row->app);
}

void app_rules_close(struct app_rules *rules)
{
    for (size_t i = 0; i < rules->providers->n; i++)
        app_statements_close(rules, rules->providers->items[i]);
}
