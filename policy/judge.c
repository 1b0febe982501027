/* One request against the compiled policy.
 *
 *   readings ---malformed, too long, too many---> refuse
 *      |
 *   address class of a literal host -----------> deny   a floor that no policy lifts
 *      |
 *   account and workspace, in every reading ---> deny
 *      |
 *   any reading closed by a rule? ------yes----> deny   it beats every allow
 *      |
 *   each reading opened by a rule? ------no----> deny   by default
 *      |
 *   allow, by the rule that opens the path as sent */
#include <stdio.h>

#include "policy/address_class.h"
#include "policy/compiled.h"
#include "policy/host.h"
#include "policy/readings.h"

static struct verdict verdict_of(enum verdict_kind kind, enum verdict_reason reason)
{
    return (struct verdict){ .kind = kind, .reason = reason };
}

static struct verdict refusal(enum readings_result result)
{
    enum verdict_reason reason = result == READINGS_TOO_LONG   ? REASON_TOO_LONG
                                 : result == READINGS_TOO_MANY ? REASON_TOO_MANY_READINGS
                                                               : REASON_BAD_ESCAPE;

    return verdict_of(VERDICT_REFUSE, reason);
}

static struct text host_of(const struct destination *where)
{
    return (struct text){ where->host, where->host_len };
}

/* ---- addresses ---- */

static bool literal_allowed(const struct policy *policy, const char *literal)
{
    struct sockaddr_storage address;

    return address_of_literal(literal, &address) &&
           address_allowed((const struct sockaddr *)&address, policy->allow_address,
                           policy->n_allow_address);
}

/* Other names are judged by what they resolve to, when somebody connects. */
static bool address_is_open(const struct policy *policy, const struct destination *where)
{
    if (where->host_is_address)
        return literal_allowed(policy, where->host);
    if (host_is_localhost(host_of(where)))
        return literal_allowed(policy, "127.0.0.1") || literal_allowed(policy, "::1");
    return true;
}

/* ---- accounts ---- */

static bool is_foreign(enum tenant_named named, struct verdict *out)
{
    if (named != TENANT_OTHER_ACCOUNT && named != TENANT_OTHER_WORKSPACE)
        return false;
    *out = verdict_of(VERDICT_DENY, named == TENANT_OTHER_ACCOUNT ? REASON_OTHER_ACCOUNT
                                                                  : REASON_OTHER_WORKSPACE);
    return true;
}

/* What an origin would take for the query if it decodes before it splits: "/x%3Fan=other". */
static struct text hidden_query(const struct reading *reading)
{
    const char *mark = reading->decodings ? memchr(reading->path.at, '?', reading->path.len) : NULL;

    return mark ? text_span(mark + 1, reading->path.at + reading->path.len) : TEXT_NONE;
}

static bool names_others(const struct policy *policy, const struct destination *where,
                         const struct readings *readings, struct verdict *out)
{
    const struct tenant *ours = &policy->tenant;
    struct text host = host_of(where);

    if (is_foreign(tenant_in_query(host, where->query, ours), out))
        return true;
    for (size_t i = 0; i < readings->n; i++) {
        if (is_foreign(tenant_in_path(host, readings->at[i].path, ours), out) ||
            is_foreign(tenant_in_query(host, hidden_query(&readings->at[i]), ours), out))
            return true;
    }
    return false;
}

/* ---- rules ---- */

static const struct rule *find(const struct policy *policy, const struct destination *where,
                               struct text host, struct text path, bool *host_named)
{
    struct host_query query = { host, where->host_is_address, path, where->port };

    return host_index_find(policy->index, &query, host_named);
}

/* If `host` is `name` + "." + `environment`. */
static bool is_under(struct text host, struct text name, struct text environment)
{
    return host.len == name.len + 1 + environment.len && text_ends(host, environment) &&
           host.at[name.len] == '.' && text_eq_nocase((struct text){ host.at, name.len }, name);
}

static const struct rule *find_under(const struct policy *policy, const struct destination *where,
                                     const char *name, struct text environment, struct text path,
                                     bool *host_named)
{
    char host[HOST_MAX + 1];
    int len = snprintf(host, sizeof host, "%s.%.*s", name, (int)environment.len, environment.at);

    if (len < 0 || (size_t)len >= sizeof host)
        return NULL;
    for (char *at = host; *at; at++)
        *at = ascii_lower(*at);
    return find(policy, where, (struct text){ host, (size_t)len }, path, host_named);
}

/* The account's Janus host under its other names: portal. and api. with an={account} stand for
 * {account}., and {account}. for either of them. */
static const struct rule *find_by_alias(const struct policy *policy,
                                        const struct destination *where, struct text path,
                                        bool *host_named)
{
    static const char *const environments[] = { "vtexcommercestable.com.br",
                                                "vtexcommercebeta.com.br" };
    struct text account = policy->tenant.account, host = host_of(where);

    for (size_t i = 0; i < sizeof environments / sizeof *environments; i++) {
        struct text environment = text_of(environments[i]);
        const struct rule *found;

        if (is_under(host, account, environment)) {
            found = find_under(policy, where, "portal", environment, path, host_named);
            return found ? found : find_under(policy, where, "api", environment, path, host_named);
        }
        if ((is_under(host, TEXT("portal"), environment) ||
             is_under(host, TEXT("api"), environment)) &&
            tenant_in_query(host, where->query, &policy->tenant) == TENANT_OURS)
            return find_under(policy, where, policy->account, environment, path, host_named);
    }
    return NULL;
}

static struct app_query app_query_of(const struct policy *policy, struct text method,
                                     const struct destination *where, struct text path)
{
    return (struct app_query){ host_of(where), path, method, policy->tenant };
}

static const struct rule *find_route(const struct policy *policy, struct text method,
                                     const struct destination *where, struct text path,
                                     bool *host_named)
{
    struct app_query query = app_query_of(policy, method, where, path);

    return app_index_find(policy->apps, &query, host_named);
}

const struct rule *judge_reading_as(const struct policy *policy, struct text method,
                                    const struct destination *where, struct text path,
                                    bool *host_named)
{
    const struct rule *found = find(policy, where, host_of(where), path, host_named);

    if (!found && policy->janus_alias && policy->account[0] != '\0')
        found = find_by_alias(policy, where, path, host_named);
    return found ? found : find_route(policy, method, where, path, host_named);
}

const struct rule *judge_reading(const struct policy *policy, const struct destination *where,
                                 struct text path, bool *host_named)
{
    return judge_reading_as(policy, TEXT_NONE, where, path, host_named);
}

static struct verdict verdict_by(enum verdict_kind kind, enum verdict_reason reason,
                                 const struct rule *rule)
{
    struct verdict verdict = verdict_of(kind, reason);

    verdict.rule = rule->place;
    verdict.rule_host = text_of(rule->written_host);
    verdict.rule_path = text_of(rule->written_path);
    verdict.rule_name = text_of(rule->name);
    verdict.rule_kind = rule->kind;
    return verdict;
}

static const struct rule *find_denial(const struct policy *policy, struct text method,
                                      const struct destination *where,
                                      const struct readings *readings)
{
    const struct rule *found = NULL;

    for (size_t i = 0; i < readings->n && !found; i++) {
        struct app_query query = app_query_of(policy, method, where, readings->at[i].path);

        found = app_index_denies(policy->apps, &query);
    }
    return found;
}

/* Why nothing opens the path as sent. Only rules for routes look at the method. */
static struct verdict not_opened(const struct policy *policy, const struct destination *where,
                                 struct text path, bool host_named)
{
    if (find_route(policy, TEXT_NONE, where, path, &host_named))
        return verdict_of(VERDICT_DENY, REASON_NO_RULE_METHOD);
    return verdict_of(VERDICT_DENY, host_named ? REASON_NO_RULE_PATH : REASON_NO_RULE_HOST);
}

static struct verdict judge_rules(const struct policy *policy, struct text method,
                                  const struct destination *where, const struct readings *readings)
{
    bool host_named = false;
    const struct rule *rule = find_denial(policy, method, where, readings);

    if (rule)
        return verdict_by(VERDICT_DENY, REASON_DENIED_BY_RULE, rule);
    rule = judge_reading_as(policy, method, where, readings->at[0].path, &host_named);
    if (!rule)
        return not_opened(policy, where, readings->at[0].path, host_named);
    for (size_t i = 1; i < readings->n; i++)
        if (!judge_reading_as(policy, method, where, readings->at[i].path, &host_named))
            return verdict_of(VERDICT_DENY, REASON_READING);
    return verdict_by(VERDICT_ALLOW, REASON_RULE, rule);
}

struct verdict policy_judge(const struct policy *policy, struct text method,
                            const struct destination *destination)
{
    struct readings readings;
    enum readings_result result = readings_of(destination->path, &readings);
    struct verdict verdict;

    if (!method.at)
        method = TEXT("");
    if (result != READINGS_OK)
        verdict = refusal(result);
    else if (!address_is_open(policy, destination))
        verdict = verdict_of(VERDICT_DENY, REASON_ADDRESS_CLASS);
    else if (!names_others(policy, destination, &readings, &verdict))
        verdict = judge_rules(policy, method, destination, &readings);
    readings_fini(&readings);
    return verdict;
}
