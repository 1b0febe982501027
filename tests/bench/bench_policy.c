/* How long a verdict takes, and what a policy costs to load and to keep.
 *
 *   bench_policy [ROUNDS]                  everything, as JSON rows
 *   bench_policy manifest RULES SHAPE      the manifest of that size, for other programs
 *   bench_policy nginx RULES SHAPE         the same allowlist as nginx's maps
 *   bench_policy path RULES SHAPE WHICH    the path of its `first`, `last` or `denied` request
 *   bench_policy judge RULES SHAPE N       N verdicts of the last rule, for a profiler */
#include <assert.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "config/memory.h"
#include "policy/policy.h"
#include "policy/readings.h"
#include "tests/bench/rows.h"
#include "tests/bench/ruleset.h"

static const struct {
    size_t n_rules, on_host;
} sizes[] = { { 20, 10 }, { 1000, 100 }, { 100000, 100 } };

enum { N_SIZES = sizeof sizes / sizeof *sizes, MANY = 4096 };

static struct settings settings_of_bench(void)
{
    static char account[] = RULESET_ACCOUNT, workspace[] = "master", region[] = "aws-us-east-1";

    return (struct settings){ .account = account,
                              .workspace = workspace,
                              .region = region,
                              .policy_kinds = POLICY_OUTBOUND_ACCESS | POLICY_LICENSE | POLICY_APP,
                              .janus_alias = true };
}

static struct policy *load(const char *json)
{
    struct settings settings = settings_of_bench();
    struct diags diags = { 0 };
    struct manifest *manifest = manifest_parse("manifest.json", text_of(json), &diags);
    struct policy *policy;

    policy = manifest ? policy_new(manifest, &settings, &diags) : NULL;
    if (diags.errors > 0) {
        diags_print(&diags, stderr);
        exit(1);
    }
    manifest_free(manifest);
    diags_fini(&diags);
    return policy;
}

/* ---- verdicts ---- */

/* Requests that are judged in turn; the URLs live as long. */
struct requests {
    const struct policy *policy;
    size_t n, next;
    struct destination *at;
    char **urls;
};

static struct destination destination_at(const char *url)
{
    struct destination_rules rules = { 0 };
    struct destination_request request = { .method = TEXT("GET"), .target = text_of(url) };
    struct destination where;
    const char *why = NULL;
    enum destination_result result = destination_of(&rules, &request, &where, &why);

    assert(result == DESTINATION_OK);
    return where;
}

static void add_request(struct requests *requests, const char *url, enum verdict_kind want)
{
    char *kept = text_dup(text_of(url));
    struct verdict verdict;

    requests->urls = mem_grow(requests->urls, requests->n, sizeof *requests->urls);
    requests->at = mem_grow(requests->at, requests->n, sizeof *requests->at);
    requests->urls[requests->n] = kept;
    requests->at[requests->n] = destination_at(kept);
    verdict = policy_judge(requests->policy, TEXT("GET"), &requests->at[requests->n++]);
    if (verdict.kind != want) {
        fprintf(stderr, "bench_policy: verdict %d for %.100s\n", (int)verdict.kind, url);
        exit(1);
    }
}

static void judge_next(void *context)
{
    struct requests *requests = context;
    struct verdict verdict =
        policy_judge(requests->policy, TEXT("GET"), &requests->at[requests->next]);

    __asm__ volatile("" : : "r"(verdict.kind));
    requests->next = requests->next + 1 == requests->n ? 0 : requests->next + 1;
}

static double measure_verdict(void *context)
{
    return bench_ns_per_call(judge_next, context);
}

static struct requests *requests_new(const struct policy *policy)
{
    struct requests *requests = mem_alloc(1, sizeof *requests);

    requests->policy = policy;
    return requests;
}

static struct requests *one_request(const struct policy *policy, const struct ruleset *set,
                                    size_t rule)
{
    struct requests *requests = requests_new(policy);
    char url[RULESET_URL_MAX];

    ruleset_url(set, rule, url);
    add_request(requests, url, rule == RULESET_NONE ? VERDICT_DENY : VERDICT_ALLOW);
    return requests;
}

/* Requests all over the rules: nothing that one leaves in the processor's caches helps the next. */
static struct requests *many_requests(const struct policy *policy, const struct ruleset *set)
{
    struct requests *requests = requests_new(policy);
    char url[RULESET_URL_MAX];

    for (size_t i = 0; i < MANY; i++) {
        size_t rule = 10 + i * 7919 % (set->n_rules - 10);

        ruleset_url(set, rule, url);
        add_request(requests, url, VERDICT_ALLOW);
    }
    return requests;
}

static void add_verdicts(struct bench *bench, const struct policy *policy,
                         const struct ruleset *set)
{
    const char *shape = ruleset_shape_name(set->shape);
    size_t first = set->n_rules - set->on_host, last = set->n_rules - 1;

    bench_add(bench, "ns", measure_verdict, one_request(policy, set, first),
              "verdict, %zu rules, %s, by the first", set->n_rules, shape);
    bench_add(bench, "ns", measure_verdict, one_request(policy, set, last),
              "verdict, %zu rules, %s, by the last", set->n_rules, shape);
    bench_add(bench, "ns", measure_verdict, one_request(policy, set, RULESET_NONE),
              "verdict, %zu rules, %s, denied", set->n_rules, shape);
    bench_add(bench, "ns", measure_verdict, many_requests(policy, set),
              "verdict, %zu rules, %s, 4096 requests in turn", set->n_rules, shape);
}

/* ---- long and hostile paths ---- */

/* A repeated `piece` between two ends, `len` bytes at least. */
static char *repeated(const char *front, const char *piece, size_t len, const char *back)
{
    size_t used = strlen(front), step = strlen(piece);
    char *made = mem_alloc(len + used + step + strlen(back) + 1, 1);

    memcpy(made, front, used);
    for (; used < len; used += step)
        memcpy(made + used, piece, step);
    memcpy(made + used, back, strlen(back));
    return made;
}

static const struct policy *policy_of_path(const char *pattern)
{
    char *json = NULL;
    const struct policy *policy;

    if (asprintf(&json,
                 "{\"policies\":[{\"name\":\"outbound-access\",\"attrs\":"
                 "{\"host\":\"%s\",\"path\":\"%s\"}}]}",
                 RULESET_HOST, pattern) < 0)
        abort();
    policy = load(json);
    free(json);
    return policy;
}

/* ns a byte of the path: a figure that does not grow with the path is linear time. */
static double measure_byte(void *context)
{
    const struct requests *requests = context;

    return measure_verdict(context) / (double)requests->at[0].path.len;
}

static void add_path(struct bench *bench, const char *what, const struct policy *policy,
                     const char *path, enum verdict_kind want)
{
    struct requests *requests = requests_new(policy);
    char *url = repeated("https://" RULESET_HOST, path, sizeof "https://" RULESET_HOST, "");

    add_request(requests, url, want);
    bench_add(bench, "ns/byte", measure_byte, requests, "%s, a path of %zu bytes", what,
              strlen(path));
    free(url);
}

static void add_long_paths(struct bench *bench, const struct policy *policy)
{
    static const size_t lengths[] = { 20, 200, 2000, 16000 };

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char *path = repeated("/x/", "segment-of-it/", lengths[i], "");

        path[lengths[i]] = '\0';
        add_path(bench, "plain", policy, path, VERDICT_DENY);
        free(path);
    }
}

/* Patterns that make a backtracking matcher take exponential or quadratic time. */
static void add_hostile_patterns(struct bench *bench)
{
    for (size_t len = 1000; len <= 16000; len *= 2) {
        char *path = repeated("/", "a", len, "");
        char *stars = repeated("/", "*a", len / 4, "*ab*");
        char *needle = repeated("/*", "a", 200, "ba*");

        add_path(bench, "*a*a*a...*ab* on aaa...", policy_of_path(stars), path, VERDICT_DENY);
        add_path(bench, "*aaa...ba* on aaa...", policy_of_path(needle), path, VERDICT_DENY);
        free(path);
        free(stars);
        free(needle);
    }
}

/* Paths that read in many ways. */
static void add_hostile_paths(struct bench *bench)
{
    static const struct {
        const char *what, *piece;
    } rows[] = { { "/a/../a/..", "/a/.." },
                 { "%252e%252e", "/%252e%252e" },
                 { "every twist", "/a;b/..//%2e%2e\\%252f" } };
    const struct policy *policy = policy_of_path("/*");

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t len = 1000; len <= 16000; len *= 4) {
            char *path = repeated("", rows[i].piece, len, "");

            add_path(bench, rows[i].what, policy, path, VERDICT_ALLOW);
            free(path);
        }
}

/* ---- loading ---- */

struct loading {
    const char *json;
    size_t n_rules;
};

static void load_once(void *context)
{
    const struct loading *loading = context;

    policy_unref(load(loading->json));
}

static double measure_loading(void *context)
{
    const struct loading *loading = context;

    return bench_ns_per_call(load_once, context) / (double)loading->n_rules;
}

static double bytes_in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return (double)(info.uordblks + info.hblkhd);
}

static double measure_memory(void *context)
{
    const struct loading *loading = context;
    double before = bytes_in_use(), after;
    struct policy *policy = load(loading->json);

    after = bytes_in_use();
    policy_unref(policy);
    return (after - before) / (double)loading->n_rules;
}

static void add_loading(struct bench *bench, const char *json, size_t n_rules)
{
    struct loading *loading = mem_alloc(1, sizeof *loading);

    *loading = (struct loading){ json, n_rules };
    bench_add(bench, "ns/rule", measure_loading, loading, "loading, %zu rules", n_rules);
    bench_add(bench, "bytes/rule", measure_memory, loading, "memory, %zu rules", n_rules);
}

/* ---- the program ---- */

/* Returns the policy, which lives as long as the bench. */
static const struct policy *add_set(struct bench *bench, const struct ruleset *set)
{
    char *json = ruleset_manifest(set);
    const struct policy *policy = load(json);

    add_verdicts(bench, policy, set);
    if (set->shape == RULESET_MIXED)
        add_loading(bench, json, set->n_rules);
    else
        free(json);
    return policy;
}

static void run_all(size_t n_rounds)
{
    static struct bench bench = { .suite = "policy" };
    const struct policy *largest = NULL;

    bench.n_rounds = n_rounds;
    for (size_t size = 0; size < N_SIZES; size++)
        for (int shape = 0; shape < N_RULESET_SHAPES; shape++)
            largest = add_set(&bench, &(struct ruleset){ sizes[size].n_rules, sizes[size].on_host,
                                                         (enum ruleset_shape)shape });
    add_long_paths(&bench, largest);
    add_hostile_patterns(&bench);
    add_hostile_paths(&bench);
    bench_run(&bench);
    bench_print(&bench, stdout);
}

static struct ruleset set_of(char **args)
{
    struct ruleset set = { strtoul(args[0], NULL, 10), 100, RULESET_EXACT };

    for (size_t i = 0; i < N_SIZES; i++)
        if (sizes[i].n_rules == set.n_rules)
            set.on_host = sizes[i].on_host;
    while (set.shape < N_RULESET_SHAPES && strcmp(ruleset_shape_name(set.shape), args[1]) != 0)
        set.shape++;
    if (set.shape == N_RULESET_SHAPES || set.n_rules < set.on_host) {
        fprintf(stderr, "bench_policy: \"%s %s\" is no set of rules\n", args[0], args[1]);
        exit(2);
    }
    return set;
}

static void judge_often(const struct ruleset *set, unsigned long n)
{
    struct requests *requests = one_request(load(ruleset_manifest(set)), set, set->n_rules - 1);

    while (n-- > 0)
        judge_next(requests);
}

static void print_path(const struct ruleset *set, const char *which)
{
    size_t first = set->n_rules - set->on_host;
    char url[RULESET_URL_MAX];

    ruleset_url(set,
                strcmp(which, "first") == 0  ? first
                : strcmp(which, "last") == 0 ? set->n_rules - 1
                                             : RULESET_NONE,
                url);
    puts(url + sizeof "https://" RULESET_HOST - 1);
}

int main(int argc, char **argv)
{
    struct ruleset set = { 0 };

    if (argc >= 4)
        set = set_of(argv + 2);
    if (argc == 4 && strcmp(argv[1], "manifest") == 0)
        fputs(ruleset_manifest(&set), stdout);
    else if (argc == 4 && strcmp(argv[1], "nginx") == 0)
        ruleset_nginx(&set, stdout);
    else if (argc == 5 && strcmp(argv[1], "path") == 0)
        print_path(&set, argv[4]);
    else if (argc == 5 && strcmp(argv[1], "judge") == 0)
        judge_often(&set, strtoul(argv[4], NULL, 10));
    else if (argc <= 2)
        run_all(argc == 2 ? strtoul(argv[1], NULL, 10) : 5);
    else
        return 2;
    return fflush(stdout) == 0 ? 0 : 1;
}
