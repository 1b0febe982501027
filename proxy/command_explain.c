/* explain: check's long answer for one request. Where it goes and why, how its path may be read,
 * what decided or came nearest, whose credentials it would leave with, and what to write. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/manifest.h"
#include "config/memory.h"
#include "policy/explain.h"
#include "proxy/command_parts.h"
#include "proxy/commands.h"
#include "proxy/token/identity.h"

enum { ALLOWED = 0, NOT_ALLOWED = 1, NOTHING_JUDGED = 2 };
enum { TEXT_MAX = 2048, NAME_MAX_BYTES = 160, LABEL_WIDTH = 10 };

/* All that is said of one request. */
struct answer {
    const struct settings *settings;
    const struct policy *policy;
    struct text method, url;
    struct destination where;
    struct explanation explanation;
    char reason[TEXT_MAX], *vrn;
    enum realm realm;
    bool app_token; /* for a request without credentials */
};

static const char *word_of_inject(enum inject inject)
{
    static const char *const words[] = { [INJECT_ABSENT] = "absent",
                                         [INJECT_PLACEHOLDER] = "placeholder",
                                         [INJECT_ALWAYS] = "always",
                                         [INJECT_OFF] = "off" };

    return words[inject];
}

static const char *header_of(enum realm realm)
{
    return realm == REALM_IO ? "Authorization: Bearer" : "VtexIdclientAutCookie";
}

static const char *scheme_of(const struct destination *where)
{
    return where->scheme == SCHEME_HTTPS ? "https" : "http";
}

static const char *why_there(const struct answer *answer)
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

static void choose_identity(struct answer *answer)
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

static void ask(struct answer *answer)
{
    size_t size = TEXT_MAX + 4 * answer->where.path.len;

    explain_request(answer->policy, answer->method, &answer->where, &answer->explanation);
    verdict_sentence(answer->policy, &answer->explanation.verdict, &answer->where, answer->reason,
                     sizeof(answer->reason));
    answer->vrn = mem_alloc(size, 1);
    policy_vrn(answer->policy, &answer->where, answer->vrn, size);
    choose_identity(answer);
}

static void answer_fini(struct answer *answer)
{
    explain_fini(&answer->explanation);
    free(answer->vrn);
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

static void print_identity(const struct answer *answer)
{
    label("identity");
    if (answer->app_token)
        printf("the app token, as %s", header_of(answer->realm));
    else
        fputs("none", stdout);
    printf(", for a request without credentials (realm %s, --inject %s)\n",
           realm_name(answer->realm), word_of_inject(answer->settings->inject));
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

static void print_answer(const struct answer *answer)
{
    const struct explanation *explanation = &answer->explanation;

    print_head(command_verdict_name(explanation->verdict.kind), answer->method, answer->url,
               answer->reason);
    label("goes to");
    printf("%s, host %s, port %u (%s)\n", scheme_of(&answer->where), answer->where.host,
           answer->where.port, why_there(answer));
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

/* ---- for machines ---- */

static json_t *json_of_rule(const struct explained_rule *rule)
{
    json_t *made;

    if (rule->place.line == 0)
        return json_null();
    made = command_json_place(rule->place);
    json_object_set_new(made, "policy", command_json_text(rule->name));
    json_object_set_new(made, "host", command_json_text(rule->host));
    json_object_set_new(made, "path", command_json_text(rule->path));
    return made;
}

static json_t *json_of_readings(const struct explanation *explanation)
{
    json_t *list = json_array();
    char name[NAME_MAX_BYTES];

    for (size_t i = 0; explanation->readings_known && i < explanation->readings.n; i++) {
        const struct explained_rule *by = &explanation->opened_by[i];

        json_array_append_new(
            list, json_pack("{s:o, s:s, s:b, s:o}", "path",
                            command_json_text(explanation->readings.at[i].path), "reading",
                            reading_name(&explanation->readings, i, name, sizeof(name)), "open",
                            by->place.line > 0, "rule", json_of_rule(by)));
    }
    return list;
}

static json_t *json_of_destination(const struct answer *answer)
{
    const struct destination *where = &answer->where;

    return json_pack("{s:s, s:s, s:i, s:o, s:s}", "scheme", scheme_of(where), "host", where->host,
                     "port", (int)where->port, "path", command_json_text(where->path), "why",
                     why_there(answer));
}

static json_t *json_of_identity(const struct answer *answer)
{
    return json_pack("{s:s, s:s, s:s, s:o}", "realm", realm_name(answer->realm), "inject",
                     word_of_inject(answer->settings->inject), "identity",
                     identity_name(answer->app_token ? IDENTITY_APP : IDENTITY_NONE), "header",
                     answer->app_token ? json_string(header_of(answer->realm)) : json_null());
}

/* The policies as values: what would be pasted. */
static json_t *json_of_snippet(const char *snippet)
{
    json_t *list;
    char *text;
    size_t size;

    if (!snippet)
        return json_null();
    size = strlen(snippet) + 3;
    text = mem_alloc(size, 1);
    snprintf(text, size, "[%s]", snippet);
    list = json_loads(text, 0, NULL);
    free(text);
    return list ? list : json_null();
}

static json_t *json_of_request(const char *verdict, struct text method, struct text url,
                               const char *reason)
{
    return json_pack("{s:s, s:o, s:o, s:o}", "verdict", verdict, "method",
                     command_json_text(method), "url", command_json_text(url), "reason",
                     command_json_text(text_of(reason)));
}

static void print_answer_json(const struct answer *answer)
{
    const struct explanation *explanation = &answer->explanation;
    json_t *out = json_of_request(command_verdict_name(explanation->verdict.kind), answer->method,
                                  answer->url, answer->reason);

    json_object_set_new(out, "destination", json_of_destination(answer));
    json_object_set_new(out, "vrn", command_json_text(text_of(answer->vrn)));
    json_object_set_new(out, "readings", json_of_readings(explanation));
    json_object_set_new(out, explanation->decided ? "deciding" : "nearest",
                        json_of_rule(&explanation->rule));
    json_object_set_new(out, "failing",
                        explanation->failing ? json_string(explain_field_name(explanation->failing))
                                             : json_null());
    json_object_set_new(out, "identity", json_of_identity(answer));
    json_object_set_new(out, "snippet", json_of_snippet(explanation->snippet));
    if (explanation->no_snippet)
        json_object_set_new(out, "noSnippet", json_string(explanation->no_snippet));
    command_print_json(out);
}

/* ---- the command ---- */

/* What never gets as far as a policy. */
static void print_refusal(struct text method, struct text url, const char *why, bool json)
{
    if (json)
        command_print_json(json_of_request("refuse", method, url, why));
    else
        print_head("refuse", method, url, why);
}

static int explain(const struct settings *settings, const struct policy *policy, struct text method,
                   struct text url, bool json)
{
    struct answer answer = { .settings = settings, .policy = policy, .method = method, .url = url };
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
            print_answer_json(&answer);
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
