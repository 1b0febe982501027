#include "policy/snippet.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "policy/compiled.h"

static struct template_values values_of(const struct policy *policy)
{
    return (struct template_values){ .account = policy_account(policy),
                                     .workspace = policy_workspace(policy) };
}

/* ---- the host, as a manifest that serves many accounts has it ---- */

static bool is_tenant_suffix(struct text suffix)
{
    static const char *const suffixes[] = { ".vtexcommercestable.com.br",
                                            ".vtexcommercebeta.com.br", ".myvtex.com",
                                            ".vtexpayments.com.br" };

    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (text_eq(suffix, text_of(suffixes[i])))
            return true;
    return false;
}

static bool is_dev_label(const struct policy *policy, struct text label)
{
    struct text workspace = policy_workspace(policy), account = policy_account(policy);

    return workspace.len > 0 && account.len > 0 && label.len == workspace.len + 2 + account.len &&
           text_eq_nocase((struct text){ label.at, workspace.len }, workspace) &&
           text_eq((struct text){ label.at + workspace.len, 2 }, TEXT("--")) &&
           text_eq_nocase((struct text){ label.at + workspace.len + 2, account.len }, account);
}

void snippet_host(const struct policy *policy, const struct destination *where,
                  char out[SNIPPET_HOST_MAX])
{
    struct text host = { where->host, where->host_len };
    const char *dot = memchr(host.at, '.', host.len);
    struct text label = dot ? text_span(host.at, dot) : host;
    struct text rest = dot ? text_span(dot, host.at + host.len) : TEXT("");
    bool ours = is_tenant_suffix(rest);

    if (ours && label.len > 0 && text_eq_nocase(label, policy_account(policy)))
        snprintf(out, SNIPPET_HOST_MAX, "{{account}}%s", rest.at);
    else if (ours && is_dev_label(policy, label))
        snprintf(out, SNIPPET_HOST_MAX, "{{workspace}}--{{account}}%s", rest.at);
    else if (memchr(host.at, ':', host.len))
        snprintf(out, SNIPPET_HOST_MAX, "[%s]", where->host);
    else
        snprintf(out, SNIPPET_HOST_MAX, "%s", where->host);
}

/* ---- the proof ---- */

/* That the policy, read as the manifest will be read, opens this host and this path alone. */
static bool is_exact(const struct snippet *snippet, struct text host, struct text path)
{
    struct manifest_policy row = { .name = TEXT("outbound-access"), .host = host, .path = path };
    struct template_values values = values_of(snippet->policy);
    struct diags diags = { 0 };
    struct rule rule;
    bool exact = rule_compile(&row, &values, &rule, &diags);

    diags_fini(&diags);
    if (!exact)
        return false;
    exact = pattern_is_literal(rule.path) && text_eq(pattern_source(rule.path), path) &&
            strcmp(rule.host, snippet->where->host) == 0 && rule.port == 0;
    rule_fini(&rule);
    return exact;
}

#define NOT_UTF8                                                                                   \
    "the path, or a reading of it, holds bytes that are not UTF-8, which JSON cannot hold; no "    \
    "policy can open exactly this"

bool snippet_is_utf8(struct text path)
{
    json_t *value = json_stringn(path.at, path.len);
    bool good = value != NULL;

    json_decref(value);
    return good;
}

const char *snippet_obstacle(struct text path)
{
    if (!snippet_is_utf8(path))
        return NOT_UTF8;
    if (memchr(path.at, '*', path.len))
        return "the path, or a reading of it, holds '*', which a policy takes for a wildcard; "
               "no policy can open exactly this";
    if (memchr(path.at, '{', path.len) || memchr(path.at, '}', path.len))
        return "the path, or a reading of it, holds a brace, which a policy takes for a template; "
               "no policy can open exactly this";
    return "the path, or a reading of it, holds what a policy's path cannot hold (a '?', '#', "
           "\"://\", or blanks at its end); no policy can open exactly this";
}

/* ---- the text ---- */

static char *policy_text(const char *host, json_t *path)
{
    json_t *policy = json_pack("{s:s, s:{s:s, s:o}}", "name", "outbound-access", "attrs", "host",
                               host, "path", path);
    char *text = json_dumps(policy, JSON_ENSURE_ASCII);

    json_decref(policy);
    return text;
}

static void append(struct snippet *snippet, const char *text)
{
    size_t used = snippet->text ? strlen(snippet->text) : 0, size = used + strlen(text) + 3;

    snippet->text = mem_resize(snippet->text, size, 1);
    snprintf(snippet->text + used, size - used, "%s%s", used ? ", " : "", text);
}

bool snippet_add(struct snippet *snippet, struct text path)
{
    char host[SNIPPET_HOST_MAX], *text;
    json_t *value = json_stringn(path.at, path.len);

    if (!value) {
        snippet->why = NOT_UTF8;
        return false;
    }
    snippet_host(snippet->policy, snippet->where, host);
    if (!is_exact(snippet, text_of(host), path)) {
        json_decref(value);
        snippet->why = snippet_obstacle(path);
        return false;
    }
    text = policy_text(host, value);
    append(snippet, text);
    free(text);
    return true;
}

void snippet_fini(struct snippet *snippet)
{
    free(snippet->text);
    snippet->text = NULL;
}
