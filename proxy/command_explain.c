/* explain: check's long answer for one request. Where it goes and why, how its path may be read,
 * what decided or came nearest, whose credentials it would leave with, and what to write. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/manifest.h"
#include "config/memory.h"
#include "proxy/command_explain.h"
#include "proxy/command_parts.h"
#include "proxy/commands.h"

enum { ALLOWED = 0, NOT_ALLOWED = 1, NOTHING_JUDGED = 2 };
enum { NAME_MAX_BYTES = 160, LABEL_WIDTH = 10 };

const char *explain_word_of_inject(enum inject inject)
{
    static const char *const words[] = { [INJECT_ABSENT] = "absent",
                                         [INJECT_PLACEHOLDER] = "placeholder",
                                         [INJECT_ALWAYS] = "always",
                                         [INJECT_OFF] = "off" };

    return words[inject];
}

const char *explain_header_of(enum realm realm)
{
    return realm == REALM_IO ? "Authorization: Bearer" : "VtexIdclientAutCookie";
}

const char *explain_scheme_of(const struct destination *where)
{
    return where->scheme == SCHEME_HTTPS ? "https" : "http";
}

const char *explain_why_there(const struct explain_answer *answer)
{
    if (answer->url.len && answer->url.at[0] == '/')
        return "a path alone is addressed to the sidecar itself: --default-host";
    if (answer->where.scheme == SCHEME_HTTP)
        return "the URL names it, and --plaintext-host lets it go without TLS";
    if (text_starts(answer->url, TEXT("http:")) || text_starts(answer->url, TEXT("HTTP:")))
        return "the URL names it; everything leaves over TLS";
    return "the URL names it";
}

/* ---- asking ---- */

static void choose_identity(struct explain_answer *answer)
{
    struct realms *realms = realms_new(answer->settings);
    struct head *head = mem_alloc(1, sizeof(*head));
    struct identity_rules rules = { .placeholder = text_of(answer->settings->placeholder),
                                    .inject = answer->settings->inject };
    struct identity identity;
    const char *why;

    head->method = answer->method;
    answer->realm = realm_of(realms, &answer->where);
    answer->app_token =
        identity_choose(&rules, head, answer->realm, &identity, &why) == OUTCOME_RELAYED &&
        identity.needs_app_token;
    free(head);
    realms_free(realms);
}

static void ask(struct explain_answer *answer)
{
    size_t size = EXPLAIN_REASON_MAX + 4 * answer->where.path.len;

    explain_request(answer->policy, answer->method, &answer->where, &answer->explanation);
    verdict_sentence(answer->policy, &answer->explanation.verdict, &answer->where, answer->reason,
                     sizeof(answer->reason));
    answer->vrn = mem_alloc(size, 1);
    policy_vrn(answer->policy, &answer->where, answer->vrn, size);
    choose_identity(answer);
}

static void answer_fini(struct explain_answer *answer)
{
    explain_fini(&answer->explanation);
    free(answer->vrn);
}

json_t *explain_json(const struct settings *settings, const struct policy *policy,
                     const struct destination_rules *rules, struct text method, struct text url)
{
    struct explain_answer answer = {
        .settings = settings, .policy = policy, .method = method, .url = url
    };
    const char *why;

    if (command_destination(rules, method, url, &answer.where, &why) != DESTINATION_OK)
        return explain_json_of_refusal(method, url, why);
    ask(&answer);
    json_t *made = explain_json_of(&answer);
    answer_fini(&answer);
    return made;
}

/* ---- for people ---- */

static void label(const char *name)
{
    printf("%-*s", LABEL_WIDTH, name);
}

static void print_text(struct text value)
{
    char *shown = mem_alloc(4 * value.len + 1, 1);

    fputs(text_printable(value, shown, 4 * value.len + 1), stdout);
    free(shown);
}

static void print_place(struct place place)
{
    print_text(text_of(place.file));
    printf(":%u:%u", place.line, place.column);
}

static void print_rule(const char *name, const struct explained_rule *rule)
{
    label(name);
    if (rule->place.line == 0) {
        puts("none: the manifest opens nothing");
        return;
    }
    print_place(rule->place);
    fputs("  ", stdout);
    print_text(rule->name);
    fputs(", host ", stdout);
    print_text(rule->host);
    if (rule->path.at) {
        fputs(", path ", stdout);
        print_text(rule->path);
    }
    putchar('\n');
}

static void print_reading(const struct explanation *explanation, size_t i)
{
    const struct explained_rule *by = &explanation->opened_by[i];
    char name[NAME_MAX_BYTES];

    label(i == 0 ? "readings" : "");
    fputs(by->place.line ? "open    " : "closed  ", stdout);
    print_text(explanation->readings.at[i].path);
    printf("  (%s", reading_name(&explanation->readings, i, name, sizeof(name)));
    if (by->place.line) {
        fputs("; by ", stdout);
        print_place(by->place);
    }
    puts(")");
}

static void print_readings(const struct explanation *explanation)
{
    if (!explanation->readings_known) {
        label("readings");
        puts("none: the path cannot be judged safely");
        return;
    }
    for (size_t i = 0; i < explanation->readings.n; i++)
        print_reading(explanation, i);
}

static void print_identity(const struct explain_answer *answer)
{
    label("identity");
    if (answer->app_token)
        printf("the app token, as %s", explain_header_of(answer->realm));
    else
        fputs("none", stdout);
    printf(", for a request without credentials (realm %s, --inject %s)\n",
           realm_name(answer->realm), explain_word_of_inject(answer->settings->inject));
}

static void print_remedy(const struct explanation *explanation)
{
    if (explanation->snippet)
        printf("\nTo open exactly this, add to \"policies\" in the manifest:\n\n  %s\n",
               explanation->snippet);
    else if (explanation->no_snippet)
        printf("\nNo snippet: %s.\n", explanation->no_snippet);
}

static void print_head(const char *verdict, struct text method, struct text url, const char *reason)
{
    label(verdict);
    print_text(method);
    putchar(' ');
    print_text(url);
    putchar('\n');
    label("reason");
    puts(reason);
}

static void print_answer(const struct explain_answer *answer)
{
    const struct explanation *explanation = &answer->explanation;

    print_head(command_verdict_name(explanation->verdict.kind), answer->method, answer->url,
               answer->reason);
    label("goes to");
    printf("%s, host %s, port %u (%s)\n", explain_scheme_of(&answer->where), answer->where.host,
           answer->where.port, explain_why_there(answer));
    label("resource");
    puts(answer->vrn);
    print_readings(explanation);
    print_rule(explanation->decided ? "decided" : "nearest", &explanation->rule);
    if (explanation->verdict.kind != VERDICT_ALLOW) {
        label("failed");
        puts(explain_field_name(explanation->failing));
    }
    print_identity(answer);
    print_remedy(explanation);
}

/* ---- the command ---- */

/* What never gets as far as a policy. */
static void print_refusal(struct text method, struct text url, const char *why, bool json)
{
    if (json)
        command_print_json(explain_json_of_refusal(method, url, why));
    else
        print_head("refuse", method, url, why);
}

static int explain(const struct settings *settings, const struct policy *policy, struct text method,
                   struct text url, bool json)
{
    struct explain_answer answer = {
        .settings = settings, .policy = policy, .method = method, .url = url
    };
    struct command_rules rules;
    const char *why;
    bool allowed = false;

    command_rules_init(&rules, settings);
    if (command_destination(&rules.rules, method, url, &answer.where, &why) != DESTINATION_OK) {
        print_refusal(method, url, why, json);
    } else {
        ask(&answer);
        allowed = answer.explanation.verdict.kind == VERDICT_ALLOW;
        if (json)
            command_print_json(explain_json_of(&answer));
        else
            print_answer(&answer);
        answer_fini(&answer);
    }
    command_rules_fini(&rules);
    return allowed ? ALLOWED : NOT_ALLOWED;
}

int command_explain(int argc, char **argv)
{
    struct diags diags = { 0 };
    struct strings words = { 0 };
    bool json = command_take_json(&argc, argv);
    struct settings *settings = settings_load(argc, argv, &words, &diags);
    struct manifest *manifest =
        settings->manifest_file ? manifest_load(settings->manifest_file, &diags) : NULL;
    struct policy *policy = NULL;
    int exit_code = NOTHING_JUDGED;

    if (words.n != 2)
        diag_fatal(&diags, (struct place){ .file = "explain" }, "expects METHOD URL");
    if (diags.fatal == 0 && manifest)
        policy = policy_new(manifest, settings, &diags);
    diags_print(&diags, stderr);
    if (policy && diags.fatal == 0)
        exit_code =
            explain(settings, policy, text_of(words.items[0]), text_of(words.items[1]), json);
    policy_unref(policy);
    manifest_free(manifest);
    settings_free(settings);
    diags_fini(&diags);
    free(words.items);
    return exit_code;
}
