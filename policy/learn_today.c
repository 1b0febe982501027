/* Today's rows: as policies, alone and together with what was learned, and what becomes of each. */
#include <stdlib.h>

#include "config/memory.h"
#include "policy/learn_parts.h"

/* ---- policies ---- */

static struct policy *compile(const struct learn *learn, const struct manifest_policy *rows,
                              size_t n_rows, const struct manifest_dependency *dependencies,
                              size_t n_dependencies, struct diags *diags)
{
    const struct manifest *today = learn->today;
    char nobody[] = "";
    struct manifest_policy *policies = mem_alloc(n_rows, sizeof *policies);
    struct manifest_dependency *others = mem_alloc(n_dependencies, sizeof *others);
    struct manifest made = { .file = today ? today->file : nobody,
                             .app_id = today ? today->app_id : NULL,
                             .partial_id = today ? today->partial_id : NULL,
                             .policies = policies,
                             .n_policies = n_rows,
                             .dependencies = others,
                             .n_dependencies = n_dependencies };
    struct policy *policy;

    if (n_rows > 0)
        memcpy(policies, rows, n_rows * sizeof *rows);
    if (n_dependencies > 0)
        memcpy(others, dependencies, n_dependencies * sizeof *others);
    policy = policy_compile(&made, learn->providers, learn->settings, diags);
    free(policies);
    free(others);
    return policy;
}

struct policy *learn_compile(const struct learn *learn, const struct manifest_policy *rows,
                             size_t n_rows, struct diags *diags)
{
    return compile(learn, rows, n_rows, NULL, 0, diags);
}

static struct manifest_policy row_of(const struct learned *learned, size_t i)
{
    struct place place = { .file = "", .line = (unsigned)i + 1 };

    return (struct manifest_policy){ .name = text_of(learned->name),
                                     .host = text_of(learned->host),
                                     .path = text_of(learned->path),
                                     .place = place,
                                     .host_place = place,
                                     .path_place = place };
}

static bool wants_today(const struct learn *learn, unsigned rows, size_t i)
{
    return (rows & ROWS_TODAY) || ((rows & ROWS_NARROW) && !learn->lesson.today[i].evidence.wide);
}

struct policy *learn_policy(const struct learn *learn, unsigned rows, struct diags *diags)
{
    const struct lesson *lesson = &learn->lesson;
    const struct manifest *today = learn->today;
    size_t n = 0, n_policies = today ? today->n_policies : 0;
    struct manifest_policy *all =
        mem_alloc(n_policies + lesson->n_learned, sizeof(struct manifest_policy));
    bool dependencies = today && (rows & (ROWS_TODAY | ROWS_NARROW));
    struct policy *policy;

    for (size_t i = 0; i < n_policies; i++)
        if (wants_today(learn, rows, i))
            all[n++] = today->policies[i];
    for (size_t i = 0; i < lesson->n_learned; i++)
        if (rows & (lesson->learned[i].for_denied ? ROWS_LEARNED_DENIED : ROWS_LEARNED))
            all[n++] = row_of(&lesson->learned[i], i);
    policy = compile(learn, all, n, dependencies ? today->dependencies : NULL,
                     dependencies ? today->n_dependencies : 0, diags);
    free(all);
    return policy;
}

struct policy *learn_policy_quietly(const struct learn *learn, unsigned rows)
{
    struct diags diags = { 0 };
    struct policy *policy = learn_policy(learn, rows, &diags);

    diags_fini(&diags);
    return policy;
}

struct learned *learn_add(struct learn *learn, struct text name, bool denied)
{
    struct lesson *lesson = &learn->lesson;
    struct learned *made;

    lesson->learned = mem_grow(lesson->learned, lesson->n_learned, sizeof *lesson->learned);
    made = &lesson->learned[lesson->n_learned++];
    *made = (struct learned){ .name = text_dup(name), .for_denied = denied };
    return made;
}

/* ---- what becomes of them ---- */

static void list_today(struct learn *learn)
{
    const struct manifest *today = learn->today;
    struct lesson *lesson = &learn->lesson;
    size_t n = 0;

    lesson->n_today = today ? today->n_policies + today->n_dependencies : 0;
    lesson->today = mem_alloc(lesson->n_today, sizeof *lesson->today);
    for (size_t i = 0; today && i < today->n_policies; i++) {
        const struct manifest_policy *row = &today->policies[i];
        lesson->today[n++] = (struct learn_today){
            .place = row->place, .name = row->name, .host = row->host, .path = row->path
        };
    }
    for (size_t i = 0; today && i < today->n_dependencies; i++)
        lesson->today[n++] = (struct learn_today){ .place = today->dependencies[i].place,
                                                   .name = today->dependencies[i].app };
}

/* Gives credit for what `rows` open; marks it as covered if told to. */
static void credit_all(struct learn *learn, unsigned rows, bool cover, struct diags *diags)
{
    struct policy *policy = learn_policy(learn, rows, diags);
    struct credit credit;

    credit_init(&credit, learn, policy);
    for (size_t i = 0; i < learn->n_seen; i++) {
        struct observation *seen = learn->seen[i];

        if (seen->open && credit_give(&credit, seen))
            seen->covered = seen->kept = cover;
    }
    credit_fini(&credit);
    policy_unref(policy);
}

static enum learn_fate fate_of(const struct learn *learn, const struct learn_today *row, bool used)
{
    if (row->evidence.opens == 0)
        return LEARN_MUTE;
    if (!used && row->evidence.paths == 0)
        return LEARN_UNUSED;
    return row->evidence.wide || learn->options.fresh ? LEARN_REPLACED : LEARN_KEPT;
}

/* Twice: by all of today's policies, for what they do today; then by those that are not wide,
 * for what they are kept for. The first alone would call unused what stands behind a wide one. */
void learn_judge_today(struct learn *learn)
{
    struct lesson *lesson = &learn->lesson;
    struct diags diags = { 0 };
    bool *used;

    list_today(learn);
    if (!learn->today)
        return;
    credit_all(learn, ROWS_TODAY, false, learn->diags);
    used = mem_alloc(lesson->n_today, sizeof(bool));
    for (size_t i = 0; i < lesson->n_today; i++) {
        struct learn_evidence *evidence = &lesson->today[i].evidence;

        used[i] = evidence->paths > 0;
        if (!evidence->wide)
            *evidence = (struct learn_evidence){ .opens = evidence->opens };
    }
    credit_all(learn, ROWS_NARROW, !learn->options.fresh, &diags);
    for (size_t i = 0; i < lesson->n_today; i++)
        lesson->today[i].fate = fate_of(learn, &lesson->today[i], used[i]);
    free(used);
    diags_fini(&diags);
}
