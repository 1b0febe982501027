/* Rules back to the rows that they came from: a key, a role with a file and a policy of several hosts
 * each become more than one rule. By place, but for policies of apps with a file: their rules stand
 * in that file, and have the name of the row. */
#include <stdlib.h>

#include "config/memory.h"
#include "policy/learn_parts.h"

struct spot {
    unsigned line, column;
};

struct owners {
    struct spot *spots; /* the keys of by_place */
    size_t n_spots;
    struct table by_place, by_name;
};

static struct text key_of(const struct spot *spot)
{
    return (struct text){ (const char *)spot, sizeof *spot };
}

static bool is_role(struct text name)
{
    return memchr(name.at, ':', name.len) != NULL;
}

static void add_owner(struct owners *owners, struct spot at, struct text name,
                      struct learn_evidence *evidence)
{
    struct spot *spot = &owners->spots[owners->n_spots++];

    *spot = at;
    if (!is_role(name))
        table_put(&owners->by_place, key_of(spot), evidence);
    else if (!table_get(&owners->by_name, name))
        table_put(&owners->by_name, name, evidence);
}

static void find_owners(struct owners *out, const struct lesson *lesson)
{
    *out = (struct owners){ .spots = mem_alloc(lesson->n_today + lesson->n_learned,
                                               sizeof(struct spot)) };
    for (size_t i = 0; i < lesson->n_today; i++) {
        struct learn_today *row = &lesson->today[i];

        if (row->name.len > 0)
            add_owner(out, (struct spot){ row->place.line, row->place.column }, row->name,
                      &row->evidence);
    }
    for (size_t i = 0; i < lesson->n_learned; i++) {
        struct learned *row = &lesson->learned[i];

        add_owner(out, (struct spot){ (unsigned)i + 1, 0 }, text_of(row->name), &row->evidence);
    }
}

static struct learn_evidence *owner_of(const struct owners *owners, const struct rule *rule)
{
    struct text name = text_of(rule->name);
    struct spot spot = { rule->place.line, rule->place.column };

    if (rule->deny)
        return NULL;
    if (rule->kind == POLICY_APP && is_role(name))
        return table_get(&owners->by_name, name);
    return table_get(&owners->by_place, key_of(&spot));
}

bool learn_rule_is_wide(const struct rule *rule)
{
    struct text path = pattern_source(rule->path);

    return !rule->deny && !rule->service &&
           (strchr(rule->host, '*') || text_eq(path, TEXT("*")) || text_eq(path, TEXT("/*")));
}

void credit_init(struct credit *credit, const struct learn *learn, const struct policy *policy)
{
    struct owners owners;

    *credit = (struct credit){ policy, mem_alloc(policy->n_rules, sizeof(struct learn_evidence *)),
                               mem_alloc(policy->n_rules, sizeof(bool)) };
    find_owners(&owners, &learn->lesson);
    for (size_t i = 0; i < policy->n_rules; i++) {
        credit->of_rule[i] = owner_of(&owners, &policy->rules[i]);
        if (credit->of_rule[i])
            credit->of_rule[i]->opens = 0;
    }
    for (size_t i = 0; i < policy->n_rules; i++) {
        if (!credit->of_rule[i])
            continue;
        credit->of_rule[i]->opens++;
        credit->of_rule[i]->wide |= learn_rule_is_wide(&policy->rules[i]);
    }
    table_fini(&owners.by_place);
    table_fini(&owners.by_name);
    free(owners.spots);
}

static void give(struct learn_evidence *evidence, const struct observation *seen)
{
    struct text host = { seen->host, seen->host_len };
    const struct observation *last = evidence->last;

    if (last == seen)
        return; /* another reading of the same */
    if (!last || strcmp(last->host, seen->host) != 0 || !text_eq(last->path, seen->path))
        evidence->paths++;
    if (!last)
        evidence->first = (struct learn_request){ seen->method, host, seen->path };
    evidence->last = seen;
    for (int i = 0; i < N_LEARN_SEEN; i++)
        evidence->requests[i] += seen->seen[i];
}

/* The rule that opens one reading, or NULL. */
static const struct rule *rule_for(const struct credit *credit, const struct observation *seen,
                                   struct text path)
{
    struct destination where = observation_where(seen);
    bool host_named = false;

    return judge_reading_as(credit->policy, seen->method, &where, path, &host_named);
}

static void give_rule(struct credit *credit, const struct observation *seen,
                      const struct rule *rule)
{
    size_t i = (size_t)(rule - credit->policy->rules);

    credit->used[i] = true;
    if (credit->of_rule[i])
        give(credit->of_rule[i], seen);
}

static bool give_readings(struct credit *credit, const struct observation *seen,
                          const struct readings *readings)
{
    const struct rule *rules[READINGS_MAX];

    for (size_t i = 0; i < readings->n; i++)
        if (!(rules[i] = rule_for(credit, seen, readings->at[i].path)))
            return false;
    for (size_t i = 0; i < readings->n; i++)
        give_rule(credit, seen, rules[i]);
    return true;
}

bool credit_give(struct credit *credit, const struct observation *seen)
{
    struct readings readings;
    bool allowed;

    if (path_is_plain(seen->path)) {
        const struct rule *rule = rule_for(credit, seen, seen->path);

        if (rule)
            give_rule(credit, seen, rule);
        return rule != NULL;
    }
    allowed =
        readings_of(seen->path, &readings) == READINGS_OK && give_readings(credit, seen, &readings);
    readings_fini(&readings);
    return allowed;
}

void credit_fini(struct credit *credit)
{
    for (size_t i = 0; i < credit->policy->n_rules; i++) {
        struct learn_evidence *evidence = credit->of_rule[i];

        if (evidence && credit->used[i] && evidence->used < evidence->opens)
            evidence->used++;
    }
    free(credit->of_rule);
    free(credit->used);
}
