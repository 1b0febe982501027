#include "proxy/sidecar_pages.h"

#include <jansson.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/command_explain.h"
#include "proxy/command_parts.h"

static char *text_of_json(json_t *value)
{
    char *dumped = json_dumps(value, JSON_COMPACT), *text;
    size_t len = dumped ? strlen(dumped) : 0;

    text = mem_alloc(len + 2, 1);
    memcpy(text, dumped ? dumped : "", len);
    text[len] = '\n';
    free(dumped);
    json_decref(value);
    return text;
}

/* ---- /policy, /reload ---- */

static json_t *json_of_state(const struct live_policy_state *state, const char *file)
{
    return json_pack("{s:o, s:I, s:I, s:s, s:I}", "file", command_json_text(text_of(file)),
                     "generation", (json_int_t)state->generation, "rules",
                     (json_int_t)state->n_rules, "reload", state->failed ? "failed" : "ok",
                     "reloadFailures", (json_int_t)state->n_failures);
}

static json_t *json_of_kinds(unsigned kinds)
{
    static const char *const names[] = { "outbound-access", "license", "app" };
    json_t *list = json_array();

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (kinds & 1U << i)
            json_array_append_new(list, json_string(names[i]));
    }
    return list;
}

char *page_policy(const struct readiness_facts *facts)
{
    const struct settings *settings = facts->settings;
    json_t *out = json_pack("{s:s, s:s, s:s, s:o, s:s, s:o}", "account", settings->account,
                            "workspace", settings->workspace, "region", settings->region, "kinds",
                            json_of_kinds(settings->policy_kinds), "mode",
                            settings->mode == MODE_REPORT ? "report" : "enforce", "policy",
                            json_of_state(&facts->policy, settings->manifest_file));

    if (settings->shadow_manifest_file)
        json_object_set_new(out, "shadow",
                            json_of_state(&facts->shadow, settings->shadow_manifest_file));
    return text_of_json(out);
}

static json_t *json_of_findings(const struct diags *told)
{
    json_t *list = json_array();

    for (size_t i = 0; i < told->n; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:o, s:o}", "level",
                                        told->items[i].level == DIAG_ERROR ? "error" : "warning",
                                        "where", command_json_text(text_of(told->items[i].where)),
                                        "what", command_json_text(text_of(told->items[i].what))));
    return list;
}

char *page_reload(const struct readiness_facts *facts, const struct diags *told, unsigned *status)
{
    bool failed = facts->policy.failed || facts->shadow.failed || facts->settings_failed;

    *status = failed ? 409 : 200;
    return text_of_json(json_pack("{s:b, s:I, s:o}", "reloaded", !failed, "generation",
                                  (json_int_t)facts->policy.generation, "findings",
                                  json_of_findings(told)));
}

/* ---- /explain ---- */

/* What stands behind "name=", percent-decoded; NULL if it is not there. The caller frees. A '+' is a '+':
 * it may stand in a URL. */
static char *parameter_of(const char *query, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = query; *at; at += strcspn(at, "&"), at += *at == '&') {
        if (strncmp(at, name, len) != 0 || at[len] != '=')
            continue;
        size_t n = strcspn(at + len + 1, "&"), used = 0;
        char *value = mem_alloc(n + 1, 1);
        for (const char *c = at + len + 1; n > 0; c++, n--) {
            int high = n > 2 && *c == '%' ? ascii_hex(c[1]) : -1,
                low = high < 0 ? -1 : ascii_hex(c[2]);
            bool escaped = low >= 0 && (high || low);
            value[used++] = (char)(escaped ? high * 16 + low : *c);
            c += escaped ? 2 : 0;
            n -= escaped ? 2 : 0;
        }
        return value;
    }
    return NULL;
}

char *page_explain(const struct settings *settings, const struct policy *policy,
                   const struct destination_rules *rules, const char *query, unsigned *status)
{
    char *method = parameter_of(query, "method"), *url = parameter_of(query, "url"), *body;

    *status = url ? 200 : 400;
    if (url)
        body = text_of_json(
            explain_json(settings, policy, rules, text_of(method ? method : "GET"), text_of(url)));
    else
        body = text_dup(TEXT("{\"code\":\"BadRequest\",\"message\":\"Ask for "
                             "/explain?method=GET&url=URL, the URL percent-encoded.\",\"source\":"
                             "\"janus-sidecar\"}\n"));
    free(method);
    free(url);
    return body;
}
