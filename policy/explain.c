#include "policy/explain.h"

#include <stdlib.h>

#include "policy/compiled.h"
#include "policy/nearest.h"
#include "policy/snippet.h"

const char *explain_field_name(enum explain_field field)
{
    static const char *const names[] = {
        [EXPLAIN_NOTHING] = "none",    [EXPLAIN_HOST] = "host",
        [EXPLAIN_PATH] = "path",       [EXPLAIN_METHOD] = "method",
        [EXPLAIN_ACCOUNT] = "account", [EXPLAIN_WORKSPACE] = "workspace",
        [EXPLAIN_ADDRESS] = "address", [EXPLAIN_READING] = "reading",
        [EXPLAIN_RULE] = "rule",
    };

    return names[field];
}

static struct explained_rule shown(const struct rule *rule)
{
    if (!rule)
        return (struct explained_rule){ .host = TEXT_NONE };
    return (struct explained_rule){ .place = rule->place,
                                    .name = text_of(rule->name),
                                    .host = text_of(rule->written_host),
                                    .path = text_of(rule->written_path) };
}

static bool is_open(const struct explained_rule *rule)
{
    return rule->place.line > 0;
}

/* ---- readings ---- */

static void read_path(const struct policy *policy, struct text method,
                      const struct destination *where, struct explanation *out)
{
    bool host_named = false;

    out->readings_known = readings_of(where->path, &out->readings) == READINGS_OK;
    for (size_t i = 0; out->readings_known && i < out->readings.n; i++)
        out->opened_by[i] =
            shown(judge_reading_as(policy, method, where, out->readings.at[i].path, &host_named));
}

static struct text first_closed(const struct explanation *explanation)
{
    for (size_t i = 0; explanation->readings_known && i < explanation->readings.n; i++)
        if (!is_open(&explanation->opened_by[i]))
            return explanation->readings.at[i].path;
    return explanation->readings.at[0].path;
}

/* ---- what failed, and where ---- */

static enum explain_field field_of(enum verdict_reason reason)
{
    switch (reason) {
    case REASON_RULE:
        return EXPLAIN_NOTHING;
    case REASON_NO_RULE_HOST:
        return EXPLAIN_HOST;
    case REASON_NO_RULE_METHOD:
        return EXPLAIN_METHOD;
    case REASON_READING:
        return EXPLAIN_READING;
    case REASON_DENIED_BY_RULE:
        return EXPLAIN_RULE;
    case REASON_OTHER_ACCOUNT:
        return EXPLAIN_ACCOUNT;
    case REASON_OTHER_WORKSPACE:
        return EXPLAIN_WORKSPACE;
    case REASON_ADDRESS_CLASS:
        return EXPLAIN_ADDRESS;
    default:
        return EXPLAIN_PATH;
    }
}

static void find_nearest(const struct policy *policy, const struct destination *where,
                         struct explanation *out)
{
    struct nearest_query query = { { where->host, where->host_len }, first_closed(out) };
    const struct rule *rule = NULL;
    bool host_named = false;

    if (out->failing == EXPLAIN_METHOD)
        rule = judge_reading(policy, where, query.path, &host_named);
    if (!rule)
        rule = nearest_rule(policy->rules, policy->n_rules, &query);
    out->rule = shown(rule);
    if (out->failing == EXPLAIN_PATH && out->verdict.reason == REASON_NO_RULE_PATH && rule &&
        nearest_fits(rule, &query))
        out->failing = EXPLAIN_HOST; /* the port that stands with it */
}

static void find_rule(const struct policy *policy, const struct destination *where,
                      struct explanation *out)
{
    const struct verdict *verdict = &out->verdict;

    out->failing = field_of(verdict->reason);
    out->decided = verdict->rule.line > 0;
    if (!out->decided) {
        find_nearest(policy, where, out);
        return;
    }
    out->rule = (struct explained_rule){ verdict->rule, verdict->rule_name, verdict->rule_host,
                                         verdict->rule_path };
}

/* ---- what to write ---- */

static const char *no_policy_helps(enum explain_field failing)
{
    switch (failing) {
    case EXPLAIN_ACCOUNT:
    case EXPLAIN_WORKSPACE:
        return "no policy opens another account or workspace";
    case EXPLAIN_ADDRESS:
        return "no policy opens this address; the operator's --allow-address does";
    case EXPLAIN_RULE:
        return "a rule closes it, and that beats every policy that opens it";
    default:
        return "no policy opens a path that cannot be judged safely; send it in its plain form";
    }
}

/* A reading that only repeats the text of one before needs no policy of its own. */
static bool repeats(const struct readings *readings, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (text_eq(readings->at[j].path, readings->at[i].path))
            return true;
    return false;
}

static void write_snippet(const struct policy *policy, const struct destination *where,
                          struct explanation *out)
{
    struct snippet snippet = { .policy = policy, .where = where };
    bool good = true;

    for (size_t i = 0; good && i < out->readings.n; i++)
        if (!is_open(&out->opened_by[i]) && !repeats(&out->readings, i))
            good = snippet_add(&snippet, out->readings.at[i].path);
    if (good) {
        out->snippet = snippet.text;
        return;
    }
    out->no_snippet = snippet.why;
    snippet_fini(&snippet);
}

static bool lacks_a_policy(const struct explanation *explanation)
{
    enum verdict_reason reason = explanation->verdict.reason;

    return !explanation->decided && explanation->readings_known &&
           (reason == REASON_NO_RULE_HOST || reason == REASON_NO_RULE_PATH ||
            reason == REASON_NO_RULE_METHOD || reason == REASON_READING);
}

void explain_request(const struct policy *policy, struct text method,
                     const struct destination *destination, struct explanation *out)
{
    if (!method.at)
        method = TEXT("");
    *out = (struct explanation){ .verdict = policy_judge(policy, method, destination) };
    read_path(policy, method, destination, out);
    find_rule(policy, destination, out);
    if (lacks_a_policy(out))
        write_snippet(policy, destination, out);
    else if (out->verdict.kind != VERDICT_ALLOW)
        out->no_snippet = no_policy_helps(out->failing);
}

void explain_fini(struct explanation *explanation)
{
    readings_fini(&explanation->readings);
    free(explanation->snippet);
    explanation->snippet = NULL;
}
