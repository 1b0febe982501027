/* check: what the sidecar would say of a request, without a socket. One line a request:
 * verdict TAB METHOD TAB URL TAB reason. */
#include <stdio.h>
#include <stdlib.h>

#include "config/manifest.h"
#include "config/memory.h"
#include "policy/policy.h"
#include "proxy/commands.h"
#include "proxy/http/syntax.h"
#include "proxy/limits.h"
#include "proxy/socket.h"

enum { ALL_ALLOWED = 0, SOME_NOT = 1, NOTHING_JUDGED = 2, REASON_MAX = 1024 };

struct judge {
    const struct policy *policy;
    struct destination_rules rules;
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

/* A path alone is a request to the sidecar itself, which goes to --default-host. */
static enum destination_result destination_for(const struct judge *judge, struct text method,
                                               struct text url, struct destination *out,
                                               const char **why)
{
    struct destination_request request = { .method = method, .target = url };

    if (!syntax_all(method, BYTE_TCHAR)) {
        *why = "the method is not a token";
        return DESTINATION_BAD;
    }
    if (url.len > LIMIT_TARGET_BYTES) {
        *why = "the request target is longer than 16 KiB";
        return DESTINATION_BAD;
    }
    if (url.len && url.at[0] == '/')
        request.host = text_of(judge->rules.default_host);
    return destination_of(&judge->rules, &request, out, why);
}

static void judge_one(struct judge *judge, struct text method, struct text url)
{
    static const char *const names[] = { "allow", "deny", "refuse" };
    struct destination destination;
    const char *why = "CONNECT and TRACE are not served";
    char reason[REASON_MAX];

    judge->n_judged++;
    if (destination_for(judge, method, url, &destination, &why) != DESTINATION_OK) {
        judge->n_not_allowed++;
        print_line("refuse", method, url, why);
        return;
    }
    struct verdict verdict = policy_judge(judge->policy, method, &destination);
    verdict_sentence(judge->policy, &verdict, &destination, reason, sizeof(reason));
    print_line(names[verdict.kind], method, url, reason);
    judge->n_not_allowed += verdict.kind != VERDICT_ALLOW;
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

static void judge_words(const struct settings *settings, const struct policy *policy,
                        const struct strings *words, int *exit_code)
{
    uint16_t *ports = mem_alloc(settings->n_listen, sizeof(*ports));
    struct judge judge = {
        .policy = policy,
        .rules = { .default_host = settings->default_host,
                   .plaintext_hosts = settings->plaintext_hosts.items,
                   .n_plaintext_hosts = settings->plaintext_hosts.n,
                   .own_addresses = settings->listen,
                   .n_own_addresses = settings->n_listen,
                   .own_ports = ports,
                   .n_own_ports = settings->n_listen },
    };

    for (size_t i = 0; i < settings->n_listen; i++)
        ports[i] = address_port((const struct sockaddr *)&settings->listen[i].socket);
    if (words->n == 1)
        judge_input(&judge, stdin);
    else
        judge_one(&judge, text_of(words->items[0]), text_of(words->items[1]));
    if (judge.n_judged)
        *exit_code = judge.n_not_allowed ? SOME_NOT : ALL_ALLOWED;
    free(ports);
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
    struct settings *settings = settings_load(argc, argv, &words, &diags);
    struct manifest *manifest =
        settings->manifest_file ? manifest_load(settings->manifest_file, &diags) : NULL;
    int exit_code = NOTHING_JUDGED;

    expect_words(&words, &diags);
    if (diags.fatal == 0 && manifest) {
        struct policy *policy = policy_new(manifest, settings, &diags);
        diags_print(&diags, stderr);
        judge_words(settings, policy, &words, &exit_code);
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
