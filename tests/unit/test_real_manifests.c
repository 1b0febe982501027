/* Real manifests, real targets, verdicts that people agreed on.
 *
 * JANUS_REAL_MANIFESTS names the folder that holds cases.tsv (manifest, method, target, expected,
 * why, tag) and load.tsv (manifest, WARN or REJECT, index of the policy, reason); without it
 * nothing runs. Where cases.tsv says "ambiguous", docs/policy.md says what we decided, and the
 * table below holds us to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/manifest.h"
#include "config/memory.h"
#include "policy/policy.h"

static const struct {
    const char *tag;
    enum verdict_kind want; /* a refusal passes for a denial */
} decided[] = {
    { "anyhost-cluster", VERDICT_ALLOW },
    { "anyhost-loopback", VERDICT_DENY },
    { "anyhost-metadata", VERDICT_DENY },
    { "anyhost-v6", VERDICT_DENY },
    { "cluster-internal", VERDICT_ALLOW },
    { "dot-inside", VERDICT_ALLOW },
    { "dotdot-inside", VERDICT_ALLOW },
    { "dotdot-semicolon", VERDICT_DENY },
    { "double-encoded-dotdot", VERDICT_DENY },
    { "exact-child", VERDICT_DENY },
    { "exact-child-real", VERDICT_DENY },
    { "exact-dotdot-resolves", VERDICT_DENY },
    { "exact-slash", VERDICT_DENY },
    { "exact-trailing-slash-child", VERDICT_DENY },
    { "fragment", VERDICT_DENY },
    { "host-in-path-glob", VERDICT_DENY },
    { "host-trailing-dot", VERDICT_ALLOW },
    { "host-trailing-slash", VERDICT_ALLOW },
    { "host-with-path", VERDICT_ALLOW },
    { "leading-dot", VERDICT_DENY },
    { "nopath", VERDICT_ALLOW },
    { "nopath-root", VERDICT_ALLOW },
    { "noslash-exact-child", VERDICT_DENY },
    { "path-in-host-intent", VERDICT_DENY },
    { "pct-unreserved-prefix", VERDICT_DENY },
    { "policy-port", VERDICT_ALLOW },
    { "policy-port-default", VERDICT_ALLOW },
    { "port-8080", VERDICT_ALLOW },
    { "port-8443", VERDICT_ALLOW },
    { "port-empty", VERDICT_DENY },
    { "port-http-443", VERDICT_ALLOW },
    { "raw-utf8-path", VERDICT_ALLOW },
    { "root-child", VERDICT_DENY },
    { "scheme-in-host", VERDICT_DENY },
    { "star-dotdot", VERDICT_ALLOW },
    { "star-ext-cross", VERDICT_ALLOW },
    { "userinfo-right-host", VERDICT_DENY },
    { "wild-two-labels", VERDICT_ALLOW },
};

/* Rows that the contract contradicts: they stay here, and the verdict stays the contract's. */
static const struct {
    const char *target, *reason;
} disagreements[] = {
    { "http://acmestore.vtexcommercestable.com.br/sitemap.xml?an=x",
      "contract 4: an= that names another account is denied; the row wants the query ignored" },
    { "http://portal.vtexcommercestable.com.br/sitemap.xml?an=x",
      "contract 4: an= that names another account is denied; the row wants the query ignored" },
};

struct row {
    const char *manifest, *method, *target, *expected, *why, *tag;
    char name[160];
};

static struct row *rows;
static size_t n_rows;

/* ---- judging one row ---- */

static char *folder_path(const char *file)
{
    char *path = NULL;

    assert_true(asprintf(&path, "%s/%s", getenv("JANUS_REAL_MANIFESTS"), file) > 0);
    return path;
}

static struct policy *load_policy(const char *file)
{
    static char account[] = "acmestore", workspace[] = "dev1", region[] = "aws-us-east-1";
    struct settings settings = { .account = account,
                                 .workspace = workspace,
                                 .region = region,
                                 .policy_kinds = POLICY_OUTBOUND_ACCESS };
    struct diags diags = { 0 };
    char *path = folder_path(file);
    struct manifest *manifest = manifest_load(path, &diags);
    struct policy *policy = manifest ? policy_new(manifest, &settings, &diags) : NULL;

    manifest_free(manifest);
    diags_fini(&diags);
    free(path);
    return policy;
}

static enum verdict_kind judge(const struct row *row, char *sentence, size_t size)
{
    struct destination_rules rules = { .default_host = "acmestore.vtexcommercestable.com.br" };
    struct destination_request request = { .method = text_of(row->method),
                                           .target = text_of(row->target) };
    struct policy *policy = load_policy(row->manifest);
    struct destination where;
    struct verdict verdict = { .kind = VERDICT_REFUSE };
    const char *why = "the manifest is unreadable";

    snprintf(sentence, size, "%s", why);
    if (!policy)
        return VERDICT_REFUSE;
    if (destination_of(&rules, &request, &where, &why) == DESTINATION_OK) {
        verdict = policy_judge(policy, request.method, &where);
        verdict_sentence(policy, &verdict, &where, sentence, size);
    } else {
        snprintf(sentence, size, "%s", why);
    }
    policy_unref(policy);
    return verdict.kind;
}

static bool wants_allow(const struct row *row)
{
    if (strcmp(row->expected, "ambiguous") != 0)
        return strcmp(row->expected, "allow") == 0;
    for (size_t i = 0; i < sizeof decided / sizeof *decided; i++)
        if (strcmp(row->tag, decided[i].tag) == 0)
            return decided[i].want == VERDICT_ALLOW;
    fail_msg("no decision for the tag %s: add it here and in docs/policy.md", row->tag);
    return false;
}

static const char *disagreement(const struct row *row)
{
    for (size_t i = 0; i < sizeof disagreements / sizeof *disagreements; i++)
        if (strcmp(row->target, disagreements[i].target) == 0)
            return disagreements[i].reason;
    return NULL;
}

static void row_is_judged_as_agreed(void **state)
{
    const struct row *row = *state;
    char sentence[512];
    bool allowed = judge(row, sentence, sizeof sentence) == VERDICT_ALLOW;
    const char *reason = disagreement(row);

    if (reason) {
        if (allowed == wants_allow(row))
            fail_msg("%s: no disagreement any more, remove it from the table", row->target);
        print_message("known disagreement: %s\n", reason);
        return;
    }
    if (allowed != wants_allow(row))
        fail_msg("%s\n  %s %s\n  wanted %s (%s), got %s: %s", row->manifest, row->method,
                 row->target, row->expected, row->why, allowed ? "allow" : "deny", sentence);
}

/* ---- what the loader says ---- */

struct finding_row {
    const char *manifest, *level, *index, *reason;
    char name[160];
};

static struct finding_row *finding_rows;
static size_t n_finding_rows;

static bool is_told(const struct diags *diags, enum diag_level level, struct place place)
{
    char where[DIAG_WHERE_MAX];

    snprintf(where, sizeof where, "%s:%u:%u", place.file, place.line, place.column);
    for (size_t i = 0; i < diags->n; i++)
        if (diags->items[i].level == level && strcmp(diags->items[i].where, where) == 0)
            return true;
    return false;
}

static void policy_is_told_of(const struct manifest *manifest, const struct finding_row *row,
                              const struct diags *diags)
{
    enum diag_level level = strcmp(row->level, "WARN") == 0 ? DIAG_WARNING : DIAG_ERROR;
    size_t index = (size_t)strtoul(row->index, NULL, 10);
    bool found = false;

    for (size_t i = 0; i < manifest->n_policies; i++) {
        const struct manifest_policy *policy = &manifest->policies[i];

        found = found || policy->index == index;
        if (policy->index == index && !is_told(diags, level, policy->host_place) &&
            !is_told(diags, level, policy->path_place))
            fail_msg("%s policy %zu: no %s (%s)", row->manifest, index, row->level, row->reason);
    }
    if (!found)
        fail_msg("%s has no policy %zu", row->manifest, index);
}

static void load_is_told_as_agreed(void **state)
{
    static char account[] = "acmestore", workspace[] = "dev1", region[] = "aws-us-east-1";
    struct settings settings = { .account = account,
                                 .workspace = workspace,
                                 .region = region,
                                 .policy_kinds = POLICY_OUTBOUND_ACCESS };
    const struct finding_row *row = *state;
    struct diags diags = { 0 };
    char *path = folder_path(row->manifest);
    struct manifest *manifest = manifest_load(path, &diags);

    if (strcmp(row->index, "manifest") == 0) {
        assert_null(manifest);
        assert_true(diags.fatal > 0);
    } else {
        assert_non_null(manifest);
        policy_unref(policy_new(manifest, &settings, &diags));
        policy_is_told_of(manifest, row, &diags);
    }
    manifest_free(manifest);
    diags_fini(&diags);
    free(path);
}

/* ---- reading the rows ---- */

static char *read_whole(const char *name)
{
    char *path = folder_path(name);
    FILE *file = fopen(path, "r");
    char *bytes = NULL;
    size_t size = 0;

    if (!file || getdelim(&bytes, &size, '\0', file) < 0) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    fclose(file);
    free(path);
    return bytes;
}

/* The next line, cut at its TABs; false at the end. */
static bool next_row(char **bytes, char *field[], size_t n_fields)
{
    char *line = strsep(bytes, "\n");

    if (!line || !*line)
        return false;
    for (size_t i = 0; i < n_fields; i++) {
        field[i] = strsep(&line, "\t");
        if (!field[i]) {
            fprintf(stderr, "a row has too few fields: %s\n", field[0]);
            exit(1);
        }
    }
    return true;
}

static void read_rows(char *bytes)
{
    char *f[6];

    strsep(&bytes, "\n"); /* the header */
    while (next_row(&bytes, f, 6)) {
        rows = mem_grow(rows, n_rows, sizeof *rows);
        rows[n_rows] = (struct row){ f[0], f[1], f[2], f[3], f[4], f[5], "" };
        snprintf(rows[n_rows].name, sizeof rows->name, "%s %s", f[5], f[0]);
        n_rows++;
    }
}

static void read_finding_rows(char *bytes)
{
    char *f[4];

    strsep(&bytes, "\n"); /* the header */
    while (next_row(&bytes, f, 4)) {
        finding_rows = mem_grow(finding_rows, n_finding_rows, sizeof *finding_rows);
        finding_rows[n_finding_rows] = (struct finding_row){ f[0], f[1], f[2], f[3], "" };
        snprintf(finding_rows[n_finding_rows].name, sizeof finding_rows->name, "%s %s", f[3], f[0]);
        n_finding_rows++;
    }
}

static void no_folder(void **state)
{
    (void)state;
    print_message(
        "JANUS_REAL_MANIFESTS does not name a folder with cases.tsv: nothing was judged\n");
    skip();
}

static int run_rows(void)
{
    char *cases = read_whole("cases.tsv"), *loads = read_whole("load.tsv");
    struct CMUnitTest *tests;
    size_t n = 0;
    int failed;

    read_rows(cases);
    read_finding_rows(loads);
    tests = mem_alloc(n_rows + n_finding_rows, sizeof *tests);
    for (size_t i = 0; i < n_rows; i++)
        tests[n++] = (struct CMUnitTest){ .name = rows[i].name,
                                          .test_func = row_is_judged_as_agreed,
                                          .initial_state = &rows[i] };
    for (size_t i = 0; i < n_finding_rows; i++)
        tests[n++] = (struct CMUnitTest){ .name = finding_rows[i].name,
                                          .test_func = load_is_told_as_agreed,
                                          .initial_state = &finding_rows[i] };
    failed = _cmocka_run_group_tests("real manifests", tests, n, NULL, NULL);
    free(tests);
    free(rows);
    free(finding_rows);
    free(cases);
    free(loads);
    return failed;
}

int main(void)
{
    const struct CMUnitTest skipped[] = { cmocka_unit_test(no_folder) };

    if (!getenv("JANUS_REAL_MANIFESTS"))
        return cmocka_run_group_tests(skipped, NULL, NULL);
    return run_rows();
}
