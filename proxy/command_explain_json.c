/* explain --json: the long answer as one object (docs/explain.md). */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/command_explain.h"
#include "proxy/command_parts.h"

enum { NAME_MAX_BYTES = 160 };

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

static json_t *json_of_destination(const struct explain_answer *answer)
{
    const struct destination *where = &answer->where;

    return json_pack("{s:s, s:s, s:i, s:o, s:s}", "scheme", explain_scheme_of(where), "host",
                     where->host, "port", (int)where->port, "path", command_json_text(where->path),
                     "why", explain_why_there(answer));
}

static json_t *json_of_identity(const struct explain_answer *answer)
{
    return json_pack("{s:s, s:s, s:s, s:o}", "realm", realm_name(answer->realm), "inject",
                     explain_word_of_inject(answer->settings->inject), "identity",
                     identity_name(answer->app_token ? IDENTITY_APP : IDENTITY_NONE), "header",
                     answer->app_token ? json_string(explain_header_of(answer->realm))
                                       : json_null());
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

json_t *explain_json_of(const struct explain_answer *answer)
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
    return out;
}

json_t *explain_json_of_refusal(struct text method, struct text url, const char *why)
{
    return json_of_request("refuse", method, url, why);
}
