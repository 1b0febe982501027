/* SARIF 2.1.0: the findings in the form that code scanning reads. What could not be read is no result of
 * the analysis, but a notification of the tool. */
#include <jansson.h>
#include <stdio.h>

#include "config/text.h"
#include "proxy/command_graphql_parts.h"
#include "proxy/command_parts.h"

enum { URI_MAX = 3 * DIAG_WHERE_MAX + 8 };

/* A path as a URI reference. */
static const char *uri_of(const char *path, char out[URI_MAX])
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    size_t n = (size_t)snprintf(out, URI_MAX, "%s", path[0] == '/' ? "file://" : "");

    for (; *path; path++) {
        if (strchr(plain, *path))
            out[n++] = *path;
        else
            n += (size_t)snprintf(out + n, URI_MAX - n, "%%%02X", (unsigned)(unsigned char)*path);
    }
    out[n] = '\0';
    return out;
}

static json_t *locations_of(const struct diag *diag)
{
    char file[DIAG_WHERE_MAX], uri[URI_MAX];
    struct place place = command_place_of(diag->where, file);
    json_t *physical = json_pack("{s:{s:s}}", "artifactLocation", "uri", uri_of(file, uri));

    if (place.line > 0)
        json_object_set_new(physical, "region",
                            json_pack("{s:i, s:i}", "startLine", (int)place.line, "startColumn",
                                      (int)place.column));
    return json_pack("[{s:o}]", "physicalLocation", physical);
}

static const char *level_name(enum diag_level level)
{
    return level == DIAG_ERROR ? "error" : "warning";
}

static json_t *message_of(const char *text)
{
    return json_pack("{s:o}", "text", command_json_text(text_of(text)));
}

static json_t *rules(void)
{
    json_t *made = json_array();

    for (int i = 0; i < N_GRAPHQL_RULES; i++) {
        const struct graphql_rule_row *row = graphql_rule_row(i);

        json_array_append_new(made,
                              json_pack("{s:s, s:o, s:{s:s}}", "id", row->name, "shortDescription",
                                        message_of(row->means), "defaultConfiguration", "level",
                                        level_name(row->level)));
    }
    return made;
}

static json_t *results(const struct graphql_report *report)
{
    json_t *made = json_array();

    for (size_t i = 0; i < report->diags.n; i++) {
        const struct diag *diag = &report->diags.items[i];

        json_array_append_new(
            made, json_pack("{s:s, s:i, s:s, s:o, s:o}", "ruleId",
                            graphql_rule_row(report->rules[i])->name, "ruleIndex",
                            (int)report->rules[i], "level", level_name(diag->level), "message",
                            message_of(diag->what), "locations", locations_of(diag)));
    }
    return made;
}

/* Where it is stands in the sentence: an option has no location. */
static json_t *notifications(const struct diags *diags)
{
    char text[DIAG_WHERE_MAX + DIAG_TEXT_MAX + 2];
    json_t *made = json_array();

    for (size_t i = 0; i < diags->n; i++) {
        const struct diag *diag = &diags->items[i];

        snprintf(text, sizeof(text), "%s: %s", diag->where, diag->what);
        json_array_append_new(made, json_pack("{s:s, s:o}", "level", level_name(diag->level),
                                              "message", message_of(text)));
    }
    return made;
}

void graphql_write_sarif(const struct graphql_run *run, FILE *out)
{
    json_t *driver = json_pack("{s:s, s:s, s:o}", "name", "janus-sidecar", "version", JANUS_VERSION,
                               "rules", rules());
    json_t *invocation = json_pack("{s:b, s:o}", "executionSuccessful", (int)run->judged,
                                   "toolExecutionNotifications", notifications(&run->diags));
    json_t *sarif = json_pack("{s:s, s:s, s:[{s:{s:o}, s:[o], s:o}]}", "$schema",
                              "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"
                              "sarif-schema-2.1.0.json",
                              "version", "2.1.0", "runs", "tool", "driver", driver, "invocations",
                              invocation, "results", results(&run->report));

    json_dumpf(sarif, out, JSON_INDENT(2));
    putc('\n', out);
    json_decref(sarif);
}
