/* An allow counts where it names this very app and us; a deny wherever it might.
 *
 *   resource of                  allow                   deny
 *   this app                     opens                   closes
 *   this app by wildcard         opens                   closes
 *   another app                  nothing, warning        closes routes of that app
 *   another account, region …    nothing, warning        nothing
 *   action that is no method     nothing, warning        every method */
#include "policy/app_statement.h"

#include <stdio.h>
#include <stdlib.h>

#include "policy/compile.h"
#include "policy/vrn.h"

/* ---- checking ---- */

/* "messages" alone in the file of vtex.messages is that app, too. */
static bool is_short_name(const struct provider *provider, struct text service)
{
    return vrn_covers(service, text_of(strchr(provider->app, '.') + 1));
}

/* A denial for other apps by wildcard: no row of ours could stand for it. */
static bool denies_many(const struct provider *provider, struct text service)
{
    return memchr(service.at, '*', service.len) && !vrn_covers(service, text_of(provider->app)) &&
           !is_short_name(provider, service);
}

static bool check_resource(const struct provider *provider, bool deny,
                           const struct provider_text *resource,
                           const struct template_values *values, struct diags *diags)
{
    const char *why;
    struct vrn vrn;
    bool good = vrn_parse(resource->text, values, &vrn, &why);

    if (good && deny && denies_many(provider, vrn.field[VRN_SERVICE])) {
        why = "it denies other apps by a wildcard; name each of them";
        good = false;
    }
    vrn_fini(&vrn);
    if (!good)
        diag_error(diags, resource->place,
                   "the resource \"%s\" cannot be used: %s; nothing of %s is open",
                   show(resource->text).text, why, provider->app);
    return good;
}

static void check_provider(struct provider *provider, const struct template_values *values,
                           struct diags *diags)
{
    for (size_t i = 0; i < provider->n_policies; i++) {
        const struct provider_policy *policy = &provider->policies[i];

        for (size_t j = 0; j < policy->n_statements; j++)
            for (size_t k = 0; k < policy->statements[j].n_resources; k++)
                if (!check_resource(provider, policy->statements[j].deny,
                                    &policy->statements[j].resources[k], values, diags))
                    provider->broken = true;
    }
}

void app_statements_check(struct providers *providers, const struct template_values *values,
                          struct diags *diags)
{
    for (size_t i = 0; i < providers->n; i++)
        if (!providers->items[i]->broken)
            check_provider(providers->items[i], values, diags);
}

/* ---- actions ---- */

static unsigned methods_of(const struct app_rules *rules,
                           const struct provider_statement *statement)
{
    unsigned methods = 0;

    for (size_t i = 0; i < statement->n_actions; i++) {
        struct text action = text_trim(statement->actions[i].text);
        unsigned bit = text_eq(action, TEXT("*")) ? METHODS_ALL : method_bit(action);

        if (bit == METHOD_OTHER) {
            diag_warning(rules->diags, statement->actions[i].place,
                         "the action \"%s\" is no HTTP method; it %s", show(action).text,
                         statement->deny ? "is taken as every one" : "opens nothing");
            bit = statement->deny ? METHODS_ALL : 0;
        }
        methods |= bit;
    }
    return methods;
}

/* ---- rules ---- */

static bool is_ours(const struct app_rules *rules, const struct vrn *vrn)
{
    return vrn_covers(vrn->field[VRN_REGION], rules->values->region) &&
           vrn_covers(vrn->field[VRN_ACCOUNT], rules->values->account) &&
           vrn_covers(vrn->field[VRN_WORKSPACE], rules->values->workspace);
}

static void lower(char *text)
{
    for (; *text; text++)
        *text = ascii_lower(*text);
}

static char *full_name(const struct provider *provider, const struct provider_policy *policy)
{
    char *name = NULL;

    if (asprintf(&name, "%s:%.*s", provider->app, TEXT_ARG(policy->name)) < 0)
        abort();
    return name;
}

static bool may_open(const struct app_rules *rules, const struct provider *provider,
                     const struct provider_text *resource, const struct vrn *vrn)
{
    if (!vrn_covers(vrn->field[VRN_SERVICE], text_of(provider->app)))
        diag_warning(rules->diags, resource->place,
                     "the resource \"%s\" is not one of %s, so it opens nothing",
                     show(resource->text).text, provider->app);
    else if (!is_ours(rules, vrn))
        diag_warning(rules->diags, resource->place,
                     "the resource \"%s\" is for another region, account or workspace, so it opens "
                     "nothing here",
                     show(resource->text).text);
    else
        return true;
    return false;
}

static void open_resource(struct app_rules *rules, const struct provider *provider,
                          const struct provider_text *resource, unsigned methods, struct text name)
{
    struct rule rule;
    struct vrn vrn;
    const char *why;

    if (vrn_parse(resource->text, rules->values, &vrn, &why) &&
        may_open(rules, provider, resource, &vrn) && methods) {
        struct rule_route route = { "app.io.vtex.com", text_of(provider->app), vrn.field[VRN_PATH],
                                    MAJOR_ANY };

        rule = rule_for_route(&route, rules->values);
        rule.place = resource->place;
        rule.name = text_dup(name);
        rule.methods = methods;
        rules->add(rules->context, &rule);
    }
    vrn_fini(&vrn);
}

void app_statements_open(struct app_rules *rules, const struct provider *provider,
                         const struct provider_policy *policy, struct text name)
{
    for (size_t i = 0; i < policy->n_statements; i++) {
        const struct provider_statement *statement = &policy->statements[i];
        unsigned methods;

        if (statement->deny)
            continue;
        methods = methods_of(rules, statement);
        for (size_t j = 0; j < statement->n_resources; j++)
            open_resource(rules, provider, &statement->resources[j], methods, name);
    }
}

/* Takes `name`. The text is in lower case, as the request will be. */
static void close_route(struct app_rules *rules, struct text service, struct text path,
                        unsigned methods, struct place place, char *name)
{
    char *low_service = text_dup(service), *low_path = text_dup(path);
    struct rule_route route = { "app.io.vtex.com", text_of(low_service), text_of(low_path),
                                MAJOR_ANY };
    struct rule rule;

    lower(low_service);
    lower(low_path);
    rule = rule_for_route(&route, rules->values);
    rule.deny = true;
    rule.place = place;
    rule.methods = methods;
    rule.name = name;
    rules->add(rules->context, &rule);
    free(low_service);
    free(low_path);
}

static void close_resource(struct app_rules *rules, const struct provider *provider,
                           const struct provider_policy *policy,
                           const struct provider_text *resource, unsigned methods)
{
    struct text service, own = text_of(provider->app);
    const char *why;
    struct vrn vrn;

    if (vrn_parse(resource->text, rules->values, &vrn, &why) && is_ours(rules, &vrn)) {
        service = vrn.field[VRN_SERVICE];
        if (vrn_covers(service, own) || is_short_name(provider, service))
            service = own;
        close_route(rules, service, vrn.field[VRN_PATH], methods, resource->place,
                    full_name(provider, policy));
    }
    vrn_fini(&vrn);
}

static void close_policy(struct app_rules *rules, const struct provider *provider,
                         const struct provider_policy *policy)
{
    for (size_t i = 0; i < policy->n_statements; i++) {
        const struct provider_statement *statement = &policy->statements[i];
        unsigned methods = statement->deny ? methods_of(rules, statement) : 0;

        for (size_t j = 0; statement->deny && j < statement->n_resources; j++)
            close_resource(rules, provider, policy, &statement->resources[j], methods);
    }
}

void app_statements_close(struct app_rules *rules, const struct provider *provider)
{
    struct place whole = { provider->file, 1, 1 };

    if (provider->broken)
        close_route(rules, text_of(provider->app), TEXT("*"), METHODS_ALL, whole,
                    text_dup(text_of(provider->app)));
    for (size_t i = 0; !provider->broken && i < provider->n_policies; i++)
        close_policy(rules, provider, &provider->policies[i]);
}
