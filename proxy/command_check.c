/* check: what the sidecar would say of a request, without a socket. One line a request:
 * verdict TAB METHOD TAB URL TAB reason; with --json an object. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/manifest.h"
#include "policy/policy.h"
#include "proxy/command_parts.h"
#include "proxy/commands.h"

enum { ALL_ALLOWED = 0, SOME_NOT = 1, NOTHING_JUDGED = 2, REASON_MAX = 1024 };

struct judge {
    const struct policy *policy;
    const struct destination_rules *rules;
    bool json;
    size_t n_judged, n_not_allowed;
};

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

static void print_line(const char *verdict, struct text method, struct text url, const char *reason)
{
    printf("%s\t", verdict);
    print_raw(method);
    putchar('\t');
    print_raw(url);
    printf("\t%s\n", reason);
}

static void print_json(const char *verdict, struct text method, struct text url, const char *reason,
                       struct place rule)
{
    json_t *line =
        json_pack("{s:s, s:o, s:o, s:o}", "verdict", verdict, "method", command_json_text(method),
                  "url", command_json_text(url), "reason", command_json_text(text_of(reason)));

    if (rule.line > 0)
        json_object_set_new(line, "rule", command_json_place(rule));
    command_print_json(line);
}

static void say(struct judge *judge, enum verdict_kind kind, struct text method, struct text url,
                const char *reason, struct place rule)
{
    const char *verdict = command_verdict_name(kind);

    judge->n_judged++;
    judge->n_not_allowed += kind != VERDICT_ALLOW;
    if (judge->json)
        print_json(verdict, method, url, reason, rule);
    else
        print_line(verdict, method, url, reason);
}

static void judge_one(struct judge *judge, struct text method, struct text url)
{
    struct destination destination;
    const char *why;
    char reason[REASON_MAX];

    if (command_destination(judge->rules, method, url, &destination, &why) != DESTINATION_OK) {
        say(judge, VERDICT_REFUSE, method, url, why, (struct place){ .file = NULL });
        return;
    }
    struct verdict verdict = policy_judge(judge->policy, method, &destination);
    verdict_sentence(judge->policy, &verdict, &destination, reason, sizeof(reason));
    say(judge, verdict.kind, method, url, reason, verdict.rule);
}

/* "METHOD URL" with blanks or tabs between; empty lines and lines that begin with # say nothing. */
static void judge_line(struct judge *judge, struct text line)
{
    while (line.len && (line.at[line.len - 1] == '\n' || line.at[line.len - 1] == '\r'))
        line.len--;
    line = text_trim(line);
    if (line.len == 0 || line.at[0] == '#')
        return;
    size_t end = 0;
    while (end < line.len && line.at[end] != ' ' && line.at[end] != '\t')
        end++;
    judge_one(judge, (struct text){ line.at, end },
              text_trim((struct text){ line.at + end, line.len - end }));
}

static void judge_input(struct judge *judge, FILE *input)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    while ((len = getline(&line, &size, input)) >= 0)
        judge_line(judge, (struct text){ line, (size_t)len });
    free(line);
}

static int judge_words(const struct settings *settings, const struct policy *policy,
                       const struct strings *words, bool json)
{
    struct command_rules rules;
    struct judge judge = { .policy = policy, .rules = &rules.rules, .json = json };

    command_rules_init(&rules, settings);
    if (words->n == 1)
        judge_input(&judge, stdin);
    else
        judge_one(&judge, text_of(words->items[0]), text_of(words->items[1]));
    command_rules_fini(&rules);
    if (judge.n_judged == 0)
        return NOTHING_JUDGED;
    return judge.n_not_allowed ? SOME_NOT : ALL_ALLOWED;
}

static void expect_words(const struct strings *words, struct diags *diags)
{
    if (words->n == 2 || (words->n == 1 && text_eq(text_of(words->items[0]), TEXT("-"))))
        return;
    diag_fatal(diags, (struct place){ .file = "check" },
               "expects METHOD URL, or - to read them as lines");
}

int command_check(int argc, char **argv)
{
    struct diags diags = { 0 };
    struct strings words = { 0 };
    bool json = command_take_json(&argc, argv);
    struct settings *settings = settings_load(argc, argv, &words, &diags);
    struct manifest *manifest =
        settings->manifest_file ? manifest_load(settings->manifest_file, &diags) : NULL;
    int exit_code = NOTHING_JUDGED;

    expect_words(&words, &diags);
    if (diags.fatal == 0 && manifest) {
        struct policy *policy = policy_new(manifest, settings, &diags);
        diags_print(&diags, stderr);
        if (diags.fatal == 0)
            exit_code = judge_words(settings, policy, &words, json);
        policy_unref(policy);
    } else {
        diags_print(&diags, stderr);
    }
    manifest_free(manifest);
    settings_free(settings);
    diags_fini(&diags);
    free(words.items);
    return exit_code;
}
