/* Which License Manager keys, and which policies of apps, open what is due: the one that opens most of
 * it, then the one that opens most of the rest, and so on. Between equals the one that opens less.
 * A key for a whole host (ADMIN_DS) is never proposed: it is no better than the path `*`. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "policy/learn_parts.h"
#include "policy/licence.h"

#define APP_HOST "app.io.vtex.com"

struct candidate {
    char *name;
    bool *opens;    /* which of what is due */
    size_t letters; /* that its widest pattern spells out */
    size_t n_rules;
    unsigned n_methods;
};

struct choice {
    struct learn *learn;
    bool denied;
    struct observation **due;
    size_t n_due;
    struct candidate *candidates;
    size_t n_candidates;
};

/* ---- candidates ---- */

static bool is_wide(const struct policy *policy)
{
    for (size_t i = 0; i < policy->n_rules; i++)
        if (learn_rule_is_wide(&policy->rules[i]))
            return true;
    return false;
}

static size_t letters_of(const struct rule *rule)
{
    struct text source = pattern_source(rule->route ? rule->route : rule->path);
    size_t letters = 0;

    for (size_t i = 0; i < source.len; i++)
        letters += source.at[i] != '*';
    return letters;
}

static void count_rules(struct candidate *candidate, const struct policy *policy)
{
    candidate->letters = SIZE_MAX;
    for (size_t i = 0; i < policy->n_rules; i++) {
        if (policy->rules[i].deny)
            continue;
        size_t letters = letters_of(&policy->rules[i]);
        candidate->letters = letters < candidate->letters ? letters : candidate->letters;
        candidate->n_rules++;
        for (unsigned bits = policy->rules[i].methods; bits; bits &= bits - 1)
            candidate->n_methods++;
    }
}

static void try_name(struct choice *choice, const char *name)
{
    struct manifest_policy row = { .name = text_of(name), .place = { .file = "", .line = 1 } };
    struct diags diags = { 0 };
    struct policy *policy = learn_compile(choice->learn, &row, 1, &diags);
    struct candidate made = { .name = text_dup(row.name),
                              .opens = mem_alloc(choice->n_due, sizeof(bool)) };
    bool any = false;

    if (!is_wide(policy))
        for (size_t i = 0; i < choice->n_due; i++)
            any |= made.opens[i] = observation_allowed(policy, choice->due[i]);
    count_rules(&made, policy);
    if (any) {
        choice->candidates =
            mem_grow(choice->candidates, choice->n_candidates, sizeof(struct candidate));
        choice->candidates[choice->n_candidates++] = made;
    } else {
        free(made.name);
        free(made.opens);
    }
    policy_unref(policy);
    diags_fini(&diags);
}

static void try_keys(struct choice *choice)
{
    const char *last = "";

    for (size_t i = 0; i < licence_n_resources; i++) {
        if (strcmp(last, licence_resources[i].key) != 0)
            try_name(choice, licence_resources[i].key);
        last = licence_resources[i].key;
    }
}

static bool is_called(const struct choice *choice, const struct provider *provider)
{
    struct text app = text_of(provider->app);

    for (size_t i = 0; i < choice->n_due; i++) {
        struct text path = choice->due[i]->path;

        if (strcmp(choice->due[i]->host, APP_HOST) == 0 && path.len > app.len + 1 &&
            text_eq_nocase((struct text){ path.at + 1, app.len }, app))
            return true;
    }
    return false;
}

static void try_provider(struct choice *choice, const struct provider *provider)
{
    for (size_t i = 0; i < provider->n_policies; i++) {
        char *name = NULL;

        if (asprintf(&name, "%s:%.*s", provider->app, TEXT_ARG(provider->policies[i].name)) < 0)
            abort();
        try_name(choice, name);
        free(name);
    }
}

/* ---- choosing ---- */

static size_t count_opened(const struct choice *choice, const struct candidate *candidate)
{
    size_t n = 0;

    for (size_t i = 0; i < choice->n_due; i++)
        n += candidate->opens[i] && !choice->due[i]->covered;
    return n;
}

/* A star opens without end, so what is spelled out counts before the number of rules. */
static bool is_tighter(const struct candidate *a, const struct candidate *b)
{
    if (a->letters != b->letters)
        return a->letters > b->letters;
    return a->n_rules != b->n_rules ? a->n_rules < b->n_rules : a->n_methods < b->n_methods;
}

static const struct candidate *find_best(const struct choice *choice)
{
    const struct candidate *best = NULL;
    size_t most = 0;

    for (size_t i = 0; i < choice->n_candidates; i++) {
        const struct candidate *candidate = &choice->candidates[i];
        size_t n = count_opened(choice, candidate);

        if (n > most || (n > 0 && n == most && is_tighter(candidate, best))) {
            best = candidate;
            most = n;
        }
    }
    return best;
}

static void choose(struct choice *choice)
{
    const struct candidate *best;

    while ((best = find_best(choice))) {
        learn_add(choice->learn, text_of(best->name), choice->denied);
        for (size_t i = 0; i < choice->n_due; i++)
            choice->due[i]->covered |= best->opens[i];
    }
}

/* ---- both ---- */

/* Where keys and policies of apps open something. */
static bool is_platform(const char *host)
{
    return strcmp(host, APP_HOST) == 0 || strcmp(host, "infra.io.vtex.com") == 0 ||
           text_ends(text_of(host), TEXT(".vtexcommercestable.com.br")) ||
           text_ends(text_of(host), TEXT(".vtexcommercebeta.com.br"));
}

static void find_due(struct choice *choice)
{
    const struct learn *learn = choice->learn;

    choice->due = mem_alloc(learn->n_seen, sizeof(struct observation *));
    for (size_t i = 0; i < learn->n_seen; i++)
        if (observation_is_due(learn->seen[i], choice->denied) && is_platform(learn->seen[i]->host))
            choice->due[choice->n_due++] = learn->seen[i];
}

void learn_keys(struct learn *learn, bool denied)
{
    struct choice choice = { .learn = learn, .denied = denied };

    find_due(&choice);
    if (choice.n_due > 0)
        try_keys(&choice);
    for (size_t i = 0; i < learn->providers->n; i++)
        if (!learn->providers->items[i]->broken && is_called(&choice, learn->providers->items[i]))
            try_provider(&choice, learn->providers->items[i]);
    choose(&choice);
    for (size_t i = 0; i < choice.n_candidates; i++) {
        free(choice.candidates[i].name);
        free(choice.candidates[i].opens);
    }
    free(choice.candidates);
    free(choice.due);
}
