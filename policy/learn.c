/* The order of things:
 *
 *   sort -- floors -- today -- kept -- keys -- paths -- keys, paths for what was denied -- proof
 *
 * floors   what no policy opens (other accounts, addresses, a deny of an app's owner) is no lesson
 * today    which of today's policies open what; unused are those that open nothing of it
 * kept     what today's policies open without the wide ones needs no more
 * proof    all that is kept and learned is compiled, every request judged once more; a policy that
 *          no request needed goes, a request that does not pass is named */
#include "policy/learn.h"

#include <stdlib.h>

#include "config/memory.h"
#include "policy/learn_parts.h"
#include "policy/snippet.h"

struct learn *learn_new(const struct manifest *today, struct providers *providers,
                        const struct settings *settings, const struct learn_options *options,
                        struct diags *diags)
{
    struct learn *learn = mem_alloc(1, sizeof *learn);

    learn->today = today;
    learn->providers = providers;
    learn->settings = settings;
    learn->options = *options;
    learn->diags = diags;
    return learn;
}

void learned_fini(struct learned *learned)
{
    free(learned->name);
    free(learned->host);
    free(learned->path);
    free(learned->values);
}

void learn_free(struct learn *learn)
{
    if (!learn)
        return;
    for (size_t i = 0; i < learn->lesson.n_learned; i++)
        learned_fini(&learn->lesson.learned[i]);
    for (size_t i = 0; i < learn->lesson.n_words; i++) {
        free(learn->lesson.words[i].host);
        free(learn->lesson.words[i].path);
    }
    free(learn->lesson.learned);
    free(learn->lesson.today);
    free(learn->lesson.left);
    free(learn->lesson.words);
    observations_fini(learn);
    policy_unref(learn->none);
    free(learn);
}

/* ---- floors ---- */

static void find_floors(struct learn *learn)
{
    learn->none = learn_policy_quietly(learn, 0);
    for (size_t i = 0; i < learn->n_seen; i++) {
        struct observation *seen = learn->seen[i];
        struct destination where = observation_where(seen);

        seen->reason = policy_judge(learn->none, seen->method, &where).reason;
        seen->open = seen->reason == REASON_NO_RULE_HOST || seen->reason == REASON_NO_RULE_PATH ||
                     seen->reason == REASON_NO_RULE_METHOD;
    }
}

/* ---- the proof ---- */

static const char *obstacle(const struct learn *learn, const struct policy *policy,
                            const struct observation *seen)
{
    struct destination where = observation_where(seen);
    struct readings readings;
    const char *why = NULL;
    bool host_named;

    if (!(learn->settings->policy_kinds & POLICY_OUTBOUND_ACCESS))
        return "--policy-kinds leaves out outbound-access, and nothing else opens it";
    if (readings_of(seen->path, &readings) == READINGS_OK)
        for (size_t i = 0; i < readings.n && !why; i++)
            if (!judge_reading_as(policy, seen->method, &where, readings.at[i].path, &host_named))
                why = snippet_obstacle(readings.at[i].path);
    readings_fini(&readings);
    return why ? why : "there are too many paths with several readings to write policies for all";
}

static const char *floor_sentence(enum verdict_reason reason)
{
    switch (reason) {
    case REASON_OTHER_ACCOUNT:
        return "it names another account";
    case REASON_OTHER_WORKSPACE:
        return "it names another workspace";
    case REASON_ADDRESS_CLASS:
        return "the address is not public; the operator's --allow-address opens it, no policy";
    case REASON_DENIED_BY_RULE:
        return "the owner of the app closes it";
    default:
        return "its path cannot be judged safely";
    }
}

static void leave(struct learn *learn, const struct observation *seen, const char *why)
{
    struct lesson *lesson = &learn->lesson;
    struct learn_left *left;

    lesson->left = mem_grow(lesson->left, lesson->n_left, sizeof *left);
    left = &lesson->left[lesson->n_left++];
    *left = (struct learn_left){
        .request = { seen->method, { seen->host, seen->host_len }, seen->path },
        .reason = seen->open ? REASON_RULE : seen->reason,
        .why = why
    };
    memcpy(left->requests, seen->seen, sizeof left->requests);
}

static unsigned kept_rows(const struct learn *learn)
{
    return learn->options.fresh ? 0 : ROWS_NARROW;
}

/* Of what was denied, what passes already. */
static void cover_denied(struct learn *learn)
{
    struct policy *policy = learn_policy_quietly(learn, kept_rows(learn) | ROWS_LEARNED);

    for (size_t i = 0; i < learn->n_seen; i++)
        if (observation_is_due(learn->seen[i], true))
            learn->seen[i]->covered = observation_allowed(policy, learn->seen[i]);
    policy_unref(policy);
}

/* With and without what only denied requests ask for, so that it takes no credit from the rest. */
static void prove(struct learn *learn)
{
    struct policy *without = learn_policy_quietly(learn, kept_rows(learn) | ROWS_LEARNED);
    struct policy *with =
        learn_policy_quietly(learn, kept_rows(learn) | ROWS_LEARNED | ROWS_LEARNED_DENIED);
    struct credit by_without, by_with;

    credit_init(&by_without, learn, without);
    credit_init(&by_with, learn, with);
    for (size_t i = 0; i < learn->n_seen; i++) {
        const struct observation *seen = learn->seen[i];

        if (!seen->open)
            leave(learn, seen, floor_sentence(seen->reason));
        else if (!seen->kept && !credit_give(&by_without, seen) && !credit_give(&by_with, seen))
            leave(learn, seen, obstacle(learn, with, seen));
    }
    credit_fini(&by_without);
    credit_fini(&by_with);
    policy_unref(without);
    policy_unref(with);
}

/* A wide policy that is all the same the smallest (ids right behind the host) stays. */
static bool stands_today(struct learn *learn, const struct learned *learned)
{
    for (size_t i = 0; i < learn->lesson.n_today; i++) {
        struct learn_today *row = &learn->lesson.today[i];

        if (row->fate != LEARN_REPLACED || !text_eq(row->name, text_of(learned->name)) ||
            !text_eq_nocase(row->host, text_of(learned->host)) ||
            !text_eq(row->path, text_of(learned->path)))
            continue;
        row->fate = LEARN_KEPT;
        row->evidence = learned->evidence;
        return true;
    }
    return false;
}

static bool is_needless(struct learn *learn, const struct learned *learned)
{
    return learned->evidence.paths == 0 ||
           (!learn->options.fresh && !learned->for_denied && stands_today(learn, learned));
}

static void drop_needless(struct learn *learn)
{
    struct lesson *lesson = &learn->lesson;
    size_t n = lesson->n_learned;

    lesson->n_learned = 0;
    for (size_t i = 0; i < n; i++) {
        struct learned learned = lesson->learned[i];

        if (is_needless(learn, &learned))
            learned_fini(&learned);
        else
            lesson->learned[lesson->n_learned++] = learned;
    }
}

const struct lesson *learn_conclude(struct learn *learn)
{
    observations_sort(learn);
    find_floors(learn);
    learn_judge_today(learn);
    learn_keys(learn, false);
    learn_paths(learn, false);
    cover_denied(learn);
    learn_keys(learn, true);
    learn_paths(learn, true);
    prove(learn);
    drop_needless(learn);
    return &learn->lesson;
}
