#include "policy/policy.h"

#include <stdlib.h>

#include "config/memory.h"
#include "policy/app_statement.h"
#include "policy/compile.h"
#include "policy/compiled.h"
#include "policy/licence.h"
#include "policy/licence_rules.h"

/* A value goes into a pattern, so it must not hold what means something there. */
static struct text safe_value(const char *value)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@+-";

    if (!value || *value == '\0' || value[strspn(value, allowed)] != '\0')
        return TEXT_NONE;
    return text_of(value);
}

static struct template_values values_of(const struct manifest *manifest,
                                        const struct settings *settings)
{
    return (struct template_values){
        .account = safe_value(settings->account),
        .workspace = safe_value(settings->workspace),
        .region = safe_value(settings->region),
        .app_id = safe_value(manifest->app_id),
        .partial_id = safe_value(manifest->partial_id),
    };
}

/* Places borrow the name of their file, which lives as long as the policy. */
static const char *keep_file(struct policy *policy, const char *file)
{
    const char *last = policy->n_files ? policy->files[policy->n_files - 1] : NULL;

    if (strcmp(file, policy->file) == 0)
        return policy->file;
    if (last && strcmp(file, last) == 0)
        return last;
    policy->files = mem_grow(policy->files, policy->n_files, sizeof *policy->files);
    policy->files[policy->n_files++] = text_dup(text_of(file));
    return policy->files[policy->n_files - 1];
}

static void add_rule(void *context, struct rule *rule)
{
    struct policy *policy = context;

    rule->place.file = keep_file(policy, rule->place.file);
    policy->rules = mem_grow(policy->rules, policy->n_rules, sizeof *rule);
    policy->rules[policy->n_rules++] = *rule;
}

enum policy_kind policy_kind_of(const struct manifest_policy *row)
{
    if (text_eq(row->name, TEXT("outbound-access")))
        return POLICY_OUTBOUND_ACCESS;
    return memchr(row->name.at, ':', row->name.len) ? POLICY_APP : POLICY_LICENSE;
}

/* "outbound-acess", "Outbound-Access", "outbound-access-2": seen in real manifests, and said of whatever
 * --policy-kinds holds, because such a row was meant to open its host. */
static bool is_misspelt(const struct manifest_policy *row, struct diags *diags)
{
    if (policy_kind_of(row) != POLICY_LICENSE || !row->host.at || licence_find(row->name))
        return false;
    diag_warning(diags, row->place,
                 "\"%s\" opens nothing here, although it names a host: only \"outbound-access\", "
                 "spelled so, opens one",
                 show(row->name).text);
    return true;
}

/* The kinds that --policy-kinds leaves out open nothing; what a provider denies counts all the
 * same. */
static void compile_rows(struct policy *policy, const struct manifest *manifest, unsigned kinds,
                         struct licence_rules *licence, struct app_rules *apps)
{
    for (size_t i = 0; i < manifest->n_policies; i++) {
        const struct manifest_policy *row = &manifest->policies[i];
        struct rule rule;

        if (is_misspelt(row, licence->diags) || !(kinds & (unsigned)policy_kind_of(row)))
            continue;
        switch (policy_kind_of(row)) {
        case POLICY_OUTBOUND_ACCESS:
            if (rule_compile(row, licence->values, &rule, licence->diags))
                add_rule(policy, &rule);
            break;
        case POLICY_LICENSE:
            licence_rules_open(licence, row);
            break;
        case POLICY_APP:
            app_rules_open_policy(apps, row);
            break;
        }
    }
    for (size_t i = 0; (kinds & POLICY_APP) && i < manifest->n_dependencies; i++)
        app_rules_open_dependency(apps, &manifest->dependencies[i]);
}

static void compile_all(struct policy *policy, const struct manifest *manifest,
                        struct providers *providers, const struct settings *settings,
                        struct diags *diags)
{
    struct template_values values = values_of(manifest, settings);
    struct licence_rules licence = {
        .values = &values, .diags = diags, .add = add_rule, .context = policy
    };
    struct app_rules apps = { .providers = providers,
                              .values = &values,
                              .diags = diags,
                              .add = add_rule,
                              .context = policy };

    app_statements_check(providers, &values, diags);
    app_rules_init(&apps);
    compile_rows(policy, manifest, settings->policy_kinds, &licence, &apps);
    licence_rules_end(&licence);
    app_rules_close(&apps);
    app_rules_fini(&apps);
}

struct policy *policy_compile(const struct manifest *manifest, struct providers *providers,
                              const struct settings *settings, struct diags *diags)
{
    struct policy *policy = mem_alloc(1, sizeof *policy);

    policy->holders = 1;
    atomic_init(&policy->n_handles, 1);
    policy->file = text_dup(text_of(manifest->file));
    policy->account = text_dup(text_of(settings->account));
    policy->workspace = text_dup(text_of(settings->workspace));
    policy->region = text_dup(text_of(settings->region));
    policy->app_id = text_dup(text_of(manifest->app_id));
    policy->tenant = (struct tenant){ policy_account(policy), policy_workspace(policy) };
    policy->janus_alias = settings->janus_alias;
    policy->n_allow_address = settings->n_allow_address;
    policy->allow_address = mem_alloc(settings->n_allow_address, sizeof(struct cidr));
    for (size_t i = 0; i < settings->n_allow_address; i++)
        policy->allow_address[i] = settings->allow_address[i];
    compile_all(policy, manifest, providers, settings, diags);
    policy->index = host_index_new(policy->rules, policy->n_rules);
    policy->apps = app_index_new(policy->rules, policy->n_rules);
    return policy;
}

struct policy *policy_new(const struct manifest *manifest, const struct settings *settings,
                          struct diags *diags)
{
    struct providers *providers = providers_load(settings->provider_policies, diags);
    struct policy *policy = policy_compile(manifest, providers, settings, diags);

    providers_free(providers);
    return policy;
}

struct policy *policy_ref(struct policy *policy)
{
    policy->holders++;
    return policy;
}

struct policy *policy_share(struct policy *policy)
{
    struct policy *whole = policy->whole ? policy->whole : policy;
    struct policy *handle = mem_alloc(1, sizeof *handle);

    atomic_fetch_add_explicit(&whole->n_handles, 1, memory_order_relaxed);
    memcpy(handle, whole, offsetof(struct policy, n_handles)); /* others may write what is behind */
    handle->holders = 1;
    handle->whole = whole;
    return handle;
}

static void free_parts(struct policy *policy)
{
    host_index_free(policy->index);
    app_index_free(policy->apps);
    for (size_t i = 0; i < policy->n_rules; i++)
        rule_fini(&policy->rules[i]);
    free(policy->rules);
    free(policy->allow_address);
    for (size_t i = 0; i < policy->n_files; i++)
        free(policy->files[i]);
    free(policy->files);
    free(policy->file);
    free(policy->account);
    free(policy->workspace);
    free(policy->region);
    free(policy->app_id);
    free(policy);
}

void policy_unref(struct policy *policy)
{
    if (!policy || --policy->holders > 0)
        return;
    struct policy *whole = policy->whole ? policy->whole : policy;
    if (policy->whole)
        free(policy);
    if (atomic_fetch_sub_explicit(&whole->n_handles, 1, memory_order_acq_rel) == 1)
        free_parts(whole);
}

struct text policy_app_id(const struct policy *policy)
{
    return text_of(policy->app_id);
}

struct text policy_account(const struct policy *policy)
{
    return text_of(policy->account);
}

struct text policy_workspace(const struct policy *policy)
{
    return text_of(policy->workspace);
}

size_t policy_n_rules(const struct policy *policy)
{
    return policy->n_rules;
}
