/* Outbound-access for what no key opens: host by host, paths and all their readings folded. What
 * cannot be written as a policy that is read as meant is left out here, and named by the proof. */
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "policy/learn_parts.h"
#include "policy/snippet.h"

enum { COMPARISONS_MAX = 5000000, IO_SEGMENTS = 4 };

/* The paths of one host. */
struct group {
    struct learn *learn;
    bool denied, io; /* io: /{app}/v{major}/{account}/{workspace}/... */
    struct destination where;
    char host[SNIPPET_HOST_MAX]; /* as written */
    struct fold_path *paths;
    size_t n_paths;
    char **owned; /* readings that were not sent */
    size_t n_owned;
};

/* ---- patterns ---- */

static size_t count_stars(struct text pattern)
{
    size_t n = 0;

    for (size_t i = 0; i < pattern.len; i++)
        n += pattern.at[i] == '*';
    return n;
}

static struct template_values values_of(const struct policy *policy)
{
    return (struct template_values){ .account = policy_account(policy),
                                     .workspace = policy_workspace(policy) };
}

/* Read as the manifest will be read, it is this host and this pattern, and each of its stars was put
 * there by folding. */
static bool is_meant(const struct group *group, struct text pattern, size_t n_stars)
{
    struct manifest_policy row = { .name = TEXT("outbound-access"),
                                   .host = text_of(group->host),
                                   .path = pattern };
    struct template_values values = values_of(group->learn->none);
    struct diags diags = { 0 };
    struct rule rule;
    bool meant = count_stars(pattern) == n_stars && rule_compile(&row, &values, &rule, &diags);

    if (meant) {
        meant = text_eq(pattern_source(rule.path), pattern) &&
                strcmp(rule.host, group->where.host) == 0 && rule.port == 0;
        rule_fini(&rule);
    }
    diags_fini(&diags);
    return meant;
}

static void found(void *context, struct text pattern, const size_t *values, size_t n_values)
{
    struct group *group = context;
    struct learned *made;

    if (!snippet_is_utf8(pattern) || !is_meant(group, pattern, n_values))
        return;
    made = learn_add(group->learn, TEXT("outbound-access"), group->denied);
    made->host = text_dup(text_of(group->host));
    made->path = text_dup(pattern);
    made->values = mem_alloc(n_values, sizeof *values);
    made->n_values = n_values;
    for (size_t i = 0; i < n_values; i++)
        made->values[i] = values[i];
}

static void note_words(void *context, struct text pattern, size_t n)
{
    struct group *group = context;
    struct lesson *lesson = &group->learn->lesson;

    lesson->words = mem_grow(lesson->words, lesson->n_words, sizeof *lesson->words);
    lesson->words[lesson->n_words++] =
        (struct learn_words){ text_dup(text_of(group->host)), text_dup(pattern), n };
}

/* ---- the fewest ---- */

/* Drops patterns that another one covers; the first is group's own. */
static void drop_covered(struct lesson *lesson, size_t first)
{
    size_t n = lesson->n_learned - first, kept = first, n_wild = 0;
    struct learned *all = lesson->learned + first;
    bool *covered = mem_alloc(n, sizeof(bool));

    for (size_t i = 0; i < n; i++)
        n_wild += all[i].n_values > 0;
    for (size_t i = 0; n > 0 && n_wild <= COMPARISONS_MAX / n && i < n; i++) {
        struct pattern *wild =
            all[i].n_values > 0 ? pattern_new(PATTERN_PATH, text_of(all[i].path)) : NULL;

        for (size_t j = 0; wild && j < n; j++)
            covered[j] |= j != i && pattern_matches(wild, text_of(all[j].path));
        pattern_free(wild);
    }
    for (size_t i = 0; i < n; i++) {
        if (covered[i])
            learned_fini(&all[i]);
        else
            lesson->learned[kept++] = all[i];
    }
    lesson->n_learned = kept;
    free(covered);
}

/* ---- templates ---- */

/* The n-th segment, from 0; at == NULL: there are fewer. */
static struct text segment_at(const char *path, unsigned n)
{
    const char *at = path + 1;

    while (n > 0 && (at = strchr(at, '/')) != NULL) {
        at++;
        n--;
    }
    return at ? (struct text){ at, strcspn(at, "/") } : TEXT_NONE;
}

/* A manifest serves many accounts. */
static void put_templates(const struct policy *policy, struct learned *row)
{
    struct text account = segment_at(row->path, 2), workspace = segment_at(row->path, 3);
    char *written = NULL;

    if (!account.at || !workspace.at || !text_eq(account, policy_account(policy)) ||
        !text_eq(workspace, policy_workspace(policy)))
        return;
    if (asprintf(&written, "%.*s{{account}}/{{workspace}}%s", (int)(account.at - row->path),
                 row->path, workspace.at + workspace.len) < 0)
        abort();
    free(row->path);
    row->path = written;
}

/* ---- one host ---- */

static void add_path(struct group *group, struct text path, bool sent)
{
    group->paths = mem_grow(group->paths, group->n_paths, sizeof *group->paths);
    group->paths[group->n_paths++] = (struct fold_path){ .path = path, .sent = sent };
}

/* A reading lives in memory of its own until the host is done. */
static void own_reading(struct group *group, struct text path)
{
    char *copy = text_dup(path);

    group->owned = mem_grow(group->owned, group->n_owned, sizeof(char *));
    group->owned[group->n_owned++] = copy;
    add_path(group, (struct text){ copy, path.len }, false);
}

/* All of them, or none when there is no room: then the proof names the request. */
static void add_twisted(struct group *group, const struct observation *seen)
{
    struct readings readings;
    size_t size = 0;
    bool good = readings_of(seen->path, &readings) == READINGS_OK;

    for (size_t i = 1; good && i < readings.n; i++)
        size += readings.at[i].path.len + 1;
    if (good && size <= LEARN_READING_BYTES - group->learn->reading_bytes) {
        group->learn->reading_bytes += size;
        add_path(group, seen->path, true);
        for (size_t i = 1; i < readings.n; i++)
            if (text_starts(readings.at[i].path, TEXT("/")))
                own_reading(group, readings.at[i].path);
    }
    readings_fini(&readings);
}

static void add_observation(struct group *group, const struct observation *seen)
{
    if (path_is_plain(seen->path))
        add_path(group, seen->path, true);
    else
        add_twisted(group, seen);
}

static void learn_group(struct group *group)
{
    struct lesson *lesson = &group->learn->lesson;
    struct folding folding = { .ids = group->learn->options.fold,
                               .words = group->learn->options.fold_words,
                               .skip = group->io ? IO_SEGMENTS : 0,
                               .found = found,
                               .many_words = note_words,
                               .context = group };
    size_t first = lesson->n_learned;

    fold_paths(&folding, group->paths, group->n_paths);
    drop_covered(lesson, first);
    for (size_t i = first; group->io && i < lesson->n_learned; i++)
        put_templates(group->learn->none, &lesson->learned[i]);
    for (size_t i = 0; i < group->n_owned; i++)
        free(group->owned[i]);
    free(group->owned);
    free(group->paths);
}

static bool is_io(const char *host)
{
    return strcmp(host, "app.io.vtex.com") == 0 || strcmp(host, "infra.io.vtex.com") == 0;
}

static size_t learn_host(struct learn *learn, bool denied, size_t from)
{
    const char *host = learn->seen[from]->host;
    struct group group = { .learn = learn,
                           .denied = denied,
                           .io = is_io(host),
                           .where = observation_where(learn->seen[from]) };
    size_t end = from;

    for (; end < learn->n_seen && strcmp(learn->seen[end]->host, host) == 0; end++)
        if (observation_is_due(learn->seen[end], denied))
            add_observation(&group, learn->seen[end]);
    snippet_host(learn->none, &group.where, group.host);
    learn_group(&group);
    return end;
}

void learn_paths(struct learn *learn, bool denied)
{
    size_t i = 0;

    while ((learn->settings->policy_kinds & POLICY_OUTBOUND_ACCESS) && i < learn->n_seen)
        i = learn_host(learn, denied, i);
}
