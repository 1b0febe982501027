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

#include <stdio.h>
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
    for (size_t i = 0; i < learn->n_seen; i++)
        free(learn->seen[i]);
    free(learn->seen);
    table_fini(&learn->by_key);
    policy_unref(learn->none);
    free(learn);
}

/* ---- observations ---- */

struct destination observation_where(const struct observation *seen)
{
    struct destination where = { .scheme = SCHEME_HTTPS,
                                 .port = seen->port,
                                 .host_len = seen->host_len,
                                 .host_is_address = seen->host_is_address,
                                 .path = seen->path,
                                 .query = seen->query };

    memcpy(where.host, seen->host, seen->host_len + (size_t)1);
    return where;
}

bool observation_allowed(const struct policy *policy, const struct observation *seen)
{
    struct destination where = observation_where(seen);

    return policy_judge(policy, seen->method, &where).kind == VERDICT_ALLOW;
}

static bool has_passed(const struct observation *seen)
{
    return seen->seen[LEARN_ALLOWED] > 0 || seen->seen[LEARN_WOULD_DENY] > 0;
}

bool observation_is_due(const struct observation *seen, bool denied)
{
    return seen->open && !seen->covered && has_passed(seen) != denied;
}

static char *put(char **at, struct text value)
{
    char *from = *at;

    if (value.len > 0)
        memcpy(from, value.at, value.len);
    from[value.len] = '\0';
    *at += value.len + 1;
    return from;
}

/* host NUL port NUL path NUL method NUL query NUL: also the key, and the order. */
static struct observation *observation_new(struct text method, const struct destination *where,
                                           struct text *key)
{
    struct text host = { where->host, where->host_len };
    size_t size = host.len + method.len + where->path.len + where->query.len + 5 + 6;
    struct observation *made = mem_alloc(1, sizeof *made + size);
    char *at = made->bytes, port[6];

    snprintf(port, sizeof port, "%05u", where->port);
    made->host = put(&at, host);
    made->host_len = where->host_len;
    made->host_is_address = where->host_is_address;
    made->port = where->port;
    put(&at, text_of(port));
    made->path = (struct text){ put(&at, where->path), where->path.len };
    made->method = (struct text){ put(&at, method), method.len };
    made->query = (struct text){ put(&at, where->query), where->query.len };
    *key = text_span(made->bytes, at);
    return made;
}

bool learn_note(struct learn *learn, struct text method, const struct destination *where,
                enum learn_seen seen)
{
    struct text key;
    struct observation *made = observation_new(method, where, &key);
    struct observation *known = table_get(&learn->by_key, key);

    if (known) {
        free(made);
        known->seen[seen]++;
        return true;
    }
    if (learn->n_seen == LEARN_REQUESTS_MAX) {
        free(made);
        return false;
    }
    made->seen[seen]++;
    table_put(&learn->by_key, key, made);
    learn->seen = mem_grow(learn->seen, learn->n_seen, sizeof(struct observation *));
    learn->seen[learn->n_seen++] = made;
    return true;
}

static int compare_texts(struct text a, struct text b)
{
    int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare(const void *left, const void *right)
{
    const struct observation *a = *(const struct observation *const *)left;
    const struct observation *b = *(const struct observation *const *)right;
    int order = strcmp(a->host, b->host);

    if (order == 0)
        order = compare_texts(a->path, b->path);
    if (order == 0)
        order = compare_texts(a->method, b->method);
    if (order == 0)
        order = compare_texts(a->query, b->query);
    return order != 0 ? order : (a->port > b->port) - (a->port < b->port);
}

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

static struct policy *compile_quietly(const struct learn *learn, unsigned rows)
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

/* ---- floors, and today ---- */

static void find_floors(struct learn *learn)
{
    learn->none = compile_quietly(learn, 0);
    for (size_t i = 0; i < learn->n_seen; i++) {
        struct observation *seen = learn->seen[i];
        struct destination where = observation_where(seen);

        seen->reason = policy_judge(learn->none, seen->method, &where).reason;
        seen->open = seen->reason == REASON_NO_RULE_HOST || seen->reason == REASON_NO_RULE_PATH ||
                     seen->reason == REASON_NO_RULE_METHOD;
    }
}

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

        if (!seen->open || !observation_allowed(policy, seen))
            continue;
        credit_give(&credit, seen);
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
static void judge_today(struct learn *learn)
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
    return why ? why : "no policy can open exactly this";
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

static void cover_what_passes(struct learn *learn)
{
    struct policy *policy = compile_quietly(learn, kept_rows(learn) | ROWS_LEARNED);

    for (size_t i = 0; i < learn->n_seen; i++)
        if (learn->seen[i]->open && !learn->seen[i]->covered)
            learn->seen[i]->covered = observation_allowed(policy, learn->seen[i]);
    policy_unref(policy);
}

/* With and without what only denied requests ask for, so that it takes no credit from the rest. */
static void prove(struct learn *learn)
{
    struct policy *without = compile_quietly(learn, kept_rows(learn) | ROWS_LEARNED);
    struct policy *with =
        compile_quietly(learn, kept_rows(learn) | ROWS_LEARNED | ROWS_LEARNED_DENIED);
    struct credit by_without, by_with;

    credit_init(&by_without, learn, without);
    credit_init(&by_with, learn, with);
    for (size_t i = 0; i < learn->n_seen; i++) {
        const struct observation *seen = learn->seen[i];

        if (!seen->open)
            leave(learn, seen, floor_sentence(seen->reason));
        else if (!seen->kept && observation_allowed(without, seen))
            credit_give(&by_without, seen);
        else if (!seen->kept && observation_allowed(with, seen))
            credit_give(&by_with, seen);
        else if (!seen->kept)
            leave(learn, seen, obstacle(learn, with, seen));
    }
    credit_fini(&by_without);
    credit_fini(&by_with);
    policy_unref(without);
    policy_unref(with);
}

static void drop_needless(struct lesson *lesson)
{
    size_t kept = 0;

    for (size_t i = 0; i < lesson->n_learned; i++) {
        if (lesson->learned[i].evidence.paths == 0)
            learned_fini(&lesson->learned[i]);
        else
            lesson->learned[kept++] = lesson->learned[i];
    }
    lesson->n_learned = kept;
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

static void drop_what_stands(struct learn *learn)
{
    struct lesson *lesson = &learn->lesson;
    size_t kept = 0;

    for (size_t i = 0; i < lesson->n_learned; i++) {
        if (lesson->learned[i].for_denied || !stands_today(learn, &lesson->learned[i]))
            lesson->learned[kept++] = lesson->learned[i];
        else
            learned_fini(&lesson->learned[i]);
    }
    lesson->n_learned = kept;
}

const struct lesson *learn_conclude(struct learn *learn)
{
    if (learn->n_seen > 0)
        qsort(learn->seen, learn->n_seen, sizeof(struct observation *), compare);
    find_floors(learn);
    judge_today(learn);
    learn_keys(learn, false);
    learn_paths(learn, false);
    cover_what_passes(learn);
    learn_keys(learn, true);
    learn_paths(learn, true);
    prove(learn);
    drop_needless(&learn->lesson);
    if (!learn->options.fresh)
        drop_what_stands(learn);
    return &learn->lesson;
}
