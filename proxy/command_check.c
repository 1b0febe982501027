/* check: what the sidecar would say of a request, without a socket. One line a request:
 * verdict TAB METHOD TAB URL TAB reason, of a replay also TAB times TAB verdicts then; with --json an
 * object. --junit says the same to a CI server. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/manifest.h"
#include "config/memory.h"
#include "proxy/command_check.h"
#include "proxy/command_junit.h"
#include "proxy/command_parts.h"
#include "proxy/commands.h"

enum { ALL_ALLOWED = 0, SOME_NOT = 1, NOTHING_JUDGED = 2 };
enum { SEEN_MAX = 32 };

/* ---- judging ---- */

void check_judge(const struct check *check, struct text method, struct text url,
                 struct judgement *out)
{
    struct destination destination;
    const char *why;

    *out = (struct judgement){ .kind = VERDICT_REFUSE, .method = method, .url = url };
    if (command_destination(check->rules, method, url, &destination, &why) != DESTINATION_OK) {
        snprintf(out->reason, sizeof(out->reason), "%s", why);
        return;
    }
    struct verdict verdict = policy_judge(check->policy, method, &destination);
    out->kind = verdict.kind;
    out->rule = verdict.rule;
    verdict_sentence(check->policy, &verdict, &destination, out->reason, sizeof(out->reason));
}

/* ---- saying ---- */

static unsigned long times_of(const struct judgement *judgement)
{
    unsigned long times = 0;

    for (size_t kind = 0; kind < N_VERDICTS; kind++)
        times += judgement->seen[kind];
    return times;
}

/* "allow", or "allow,deny" if it was not always the same. */
static void write_seen(const struct judgement *judgement, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t kind = 0; kind < N_VERDICTS; kind++) {
        if (judgement->seen[kind])
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? "," : "",
                                     command_verdict_name((enum verdict_kind)kind));
    }
}

static void print_raw(struct text bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.at[i];
        if (c < 0x20 || c == 0x7f)
            printf("\\x%02x", c);
        else
            putchar(c);
    }
}

static void print_line(const struct judgement *judgement)
{
    char seen[SEEN_MAX];

    printf("%s\t", command_verdict_name(judgement->kind));
    print_raw(judgement->method);
    putchar('\t');
    print_raw(judgement->url);
    printf("\t%s", judgement->reason);
    if (times_of(judgement)) {
        write_seen(judgement, seen, sizeof(seen));
        printf("\t%lu\t%s", times_of(judgement), seen);
    }
    putchar('\n');
}

static json_t *json_of_seen(const struct judgement *judgement)
{
    json_t *seen = json_object();

    for (size_t kind = 0; kind < N_VERDICTS; kind++) {
        if (judgement->seen[kind])
            json_object_set_new(seen, command_verdict_name((enum verdict_kind)kind),
                                json_integer((json_int_t)judgement->seen[kind]));
    }
    return seen;
}

static void print_json(const struct judgement *judgement)
{
    json_t *line = json_pack(
        "{s:s, s:o, s:o, s:o}", "verdict", command_verdict_name(judgement->kind), "method",
        command_json_text(judgement->method), "url", command_json_text(judgement->url), "reason",
        command_json_text(text_of(judgement->reason)));

    if (judgement->rule.line > 0)
        json_object_set_new(line, "rule", command_json_place(judgement->rule));
    if (times_of(judgement)) {
        json_object_set_new(line, "times", json_integer((json_int_t)times_of(judgement)));
        json_object_set_new(line, "was", json_of_seen(judgement));
    }
    command_print_json(line);
}

static void report(const struct check *check, const struct judgement *judgement)
{
    char message[CHECK_REASON_MAX + 2 * SEEN_MAX + 32], seen[SEEN_MAX];
    size_t size = judgement->method.len + judgement->url.len + 1;
    char *name = mem_alloc(size, 1);

    memcpy(name, judgement->method.at, judgement->method.len);
    name[judgement->method.len] = ' ';
    if (judgement->url.len)
        memcpy(name + judgement->method.len + 1, judgement->url.at, judgement->url.len);
    write_seen(judgement, seen, sizeof(seen));
    if (times_of(judgement))
        snprintf(message, sizeof(message), "%s (%lu times in the log; was %s)", judgement->reason,
                 times_of(judgement), seen);
    else
        snprintf(message, sizeof(message), "%s", judgement->reason);
    junit_case(check->junit, judgement->kind == VERDICT_ALLOW ? JUNIT_PASSED : JUNIT_FAILED,
               check->manifest_file, (struct text){ name, size },
               command_verdict_name(judgement->kind), message);
    free(name);
}

void check_say(struct check *check, const struct judgement *judgement)
{
    check->n_judged++;
    check->n_not_allowed += judgement->kind != VERDICT_ALLOW;
    if (check->json)
        print_json(judgement);
    else
        print_line(judgement);
    if (check->junit)
        report(check, judgement);
}

/* ---- words and lines ---- */

static void check_one(struct check *check, struct text method, struct text url)
{
    struct judgement judgement;

    check_judge(check, method, url, &judgement);
    check_say(check, &judgement);
}

/* "METHOD URL" with blanks or tabs between; empty lines and lines that begin with # say nothing. */
static void check_line(struct check *check, struct text line)
{
    line = text_trim_lines(line);
    if (line.len == 0 || line.at[0] == '#')
        return;
    size_t end = 0;
    while (end < line.len && line.at[end] != ' ' && line.at[end] != '\t')
        end++;
    check_one(check, (struct text){ line.at, end },
              text_trim((struct text){ line.at + end, line.len - end }));
}

static void check_lines(struct check *check, FILE *input)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    while ((len = getline(&line, &size, input)) >= 0)
        check_line(check, (struct text){ line, (size_t)len });
    free(line);
}

/* ---- the command ---- */

/* What stands on the command line beside the settings. */
struct call {
    bool json;
    const char *replay_file, *junit_file; /* NULL: not asked for */
    FILE *replay;
    struct strings words;
};

static bool is_dash(const char *word)
{
    return strcmp(word, "-") == 0;
}

static void expect_words(const struct call *call, struct diags *diags)
{
    const struct strings *words = &call->words;

    if (words->n == 1 && is_dash(words->items[0]))
        return;
    if (call->replay_file && words->n > 0)
        diag_fatal(diags, (struct place){ .file = "--replay" },
                   "takes the requests from the log; leave METHOD URL out");
    else if (!call->replay_file && words->n != 2)
        diag_fatal(diags, (struct place){ .file = "check" },
                   "expects METHOD URL, or - to read them as lines, or --replay FILE");
}

static void open_replay(struct call *call, struct diags *diags)
{
    if (!call->replay_file || call->replay_file[0] == '\0')
        return;
    call->replay = is_dash(call->replay_file) ? stdin : fopen(call->replay_file, "re");
    if (!call->replay)
        diag_fatal(diags, (struct place){ .file = "--replay" }, "%s cannot be read: %s",
                   call->replay_file, strerror(errno));
}

/* False if what was to be judged could not be read. */
static bool judge_all(struct check *check, const struct call *call)
{
    const struct strings *words = &call->words;

    if (call->replay)
        return check_replay(check, call->replay,
                            call->replay == stdin ? "standard input" : call->replay_file);
    if (words->n == 1)
        check_lines(check, stdin);
    else
        check_one(check, text_of(words->items[0]), text_of(words->items[1]));
    return true;
}

/* A report that says nothing would look like one without failures. */
static bool finish_report(struct check *check, bool whole)
{
    if (!check->junit)
        return true;
    if (!whole || check->n_judged == 0)
        junit_case(check->junit, JUNIT_ERROR, check->manifest_file, TEXT("requests to judge"),
                   "input", whole ? "nothing was judged" : "the log could not be read to its end");
    return junit_close(check->junit);
}

static int judge(const struct settings *settings, const struct policy *policy, struct junit *junit,
                 const struct call *call)
{
    struct command_rules rules;
    struct check check = { .policy = policy,
                           .rules = &rules.rules,
                           .manifest_file = settings->manifest_file,
                           .json = call->json,
                           .junit = junit };

    command_rules_init(&rules, settings);
    bool whole = judge_all(&check, call);
    bool reported = finish_report(&check, whole);
    command_rules_fini(&rules);
    if (!whole || !reported || check.n_judged == 0)
        return NOTHING_JUDGED;
    return check.n_not_allowed ? SOME_NOT : ALL_ALLOWED;
}

static int check_with(const struct settings *settings, const struct call *call, struct diags *diags)
{
    struct manifest *manifest =
        settings->manifest_file ? manifest_load(settings->manifest_file, diags) : NULL;
    struct policy *policy = NULL;
    struct junit *junit = NULL;
    int exit_code = NOTHING_JUDGED;

    if (diags->fatal == 0 && manifest)
        policy = policy_new(manifest, settings, diags);
    if (diags->fatal == 0 && policy && call->junit_file)
        junit = junit_open(call->junit_file, diags);
    diags_print(diags, stderr);
    if (diags->fatal == 0 && policy)
        exit_code = judge(settings, policy, junit, call);
    else
        junit_discard(junit);
    policy_unref(policy);
    manifest_free(manifest);
    return exit_code;
}

int command_check(int argc, char **argv)
{
    struct diags diags = { 0 };
    struct call call = { .json = command_take_json(&argc, argv) };

    call.replay_file = command_take_value(&argc, argv, "--replay", &diags);
    call.junit_file = command_take_value(&argc, argv, "--junit", &diags);
    struct settings *settings = settings_load(argc, argv, &call.words, &diags);
    expect_words(&call, &diags);
    open_replay(&call, &diags);
    int exit_code = check_with(settings, &call, &diags);
    if (call.replay && call.replay != stdin)
        fclose(call.replay);
    settings_free(settings);
    diags_fini(&diags);
    free(call.words.items);
    return exit_code;
}
