#include "policy/policy.h"

#include <stdlib.h>

#include "config/memory.h"
#include "policy/compiled.h"

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

static void add_rule(struct policy *policy, const struct manifest_policy *row,
                     const struct template_values *values, struct diags *diags)
{
    struct rule rule;

    if (!rule_compile(row, values, &rule, diags))
        return;
    rule.place.file = policy->file;
    policy->rules = mem_grow(policy->rules, policy->n_rules, sizeof rule);
    policy->rules[policy->n_rules++] = rule;
}

static enum policy_kind kind_of(const struct manifest_policy *row)
{
    if (text_eq(row->name, TEXT("outbound-access")))
        return POLICY_OUTBOUND_ACCESS;
    return memchr(row->name.at, ':', row->name.len) ? POLICY_APP : POLICY_LICENSE;
}

static void note_ignored(const struct manifest *manifest, size_t n_licence, size_t n_app,
                         struct diags *diags)
{
    if (n_licence + n_app > 0)
        diag_warning(
            diags, (struct place){ .file = manifest->file },
            "%zu License Manager keys and %zu app policies open nothing in this version; only "
            "outbound-access does",
            n_licence, n_app);
}

static void compile_rows(struct policy *policy, const struct manifest *manifest,
                         const struct settings *settings, struct diags *diags)
{
    struct template_values values = values_of(manifest, settings);
    size_t n_licence = 0, n_app = 0;

    for (size_t i = 0; i < manifest->n_policies; i++) {
        const struct manifest_policy *row = &manifest->policies[i];
        enum policy_kind kind;

        if (row->name.len == 0)
            continue; /* the manifest's reader has reported it */
        kind = kind_of(row);
        if (!(settings->policy_kinds & (unsigned)kind))
            continue;
        if (kind == POLICY_OUTBOUND_ACCESS)
            add_rule(policy, row, &values, diags);
        n_licence += kind == POLICY_LICENSE;
        n_app += kind == POLICY_APP;
    }
    note_ignored(manifest, n_licence, n_app, diags);
}

struct policy *policy_new(const struct manifest *manifest, const struct settings *settings,
                          struct diags *diags)
{
    struct policy *policy = mem_alloc(1, sizeof *policy);

    policy->holders = 1;
    policy->file = text_dup(text_of(manifest->file));
    policy->account = text_dup(text_of(settings->account));
    policy->workspace = text_dup(text_of(settings->workspace));
    policy->region = text_dup(text_of(settings->region));
    policy->app_id = text_dup(text_of(manifest->app_id));
    policy->janus_alias = settings->janus_alias;
    policy->n_allow_address = settings->n_allow_address;
    policy->allow_address = mem_alloc(settings->n_allow_address, sizeof(struct cidr));
    for (size_t i = 0; i < settings->n_allow_address; i++)
        policy->allow_address[i] = settings->allow_address[i];
    compile_rows(policy, manifest, settings, diags);
    policy->index = host_index_new(policy->rules, policy->n_rules);
    return policy;
}

struct policy *policy_ref(struct policy *policy)
{
    policy->holders++;
    return policy;
}

void policy_unref(struct policy *policy)
{
    if (!policy || --policy->holders > 0)
        return;
    host_index_free(policy->index);
    for (size_t i = 0; i < policy->n_rules; i++)
        rule_fini(&policy->rules[i]);
    free(policy->rules);
    free(policy->allow_address);
    free(policy->file);
    free(policy->account);
    free(policy->workspace);
    free(policy->region);
    free(policy->app_id);
    free(policy);
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

struct tenant policy_tenant(const struct policy *policy)
{
    return (struct tenant){ policy_account(policy), policy_workspace(policy) };
}
