/* A careless policy must never open more than its writer meant: whatever cannot be read in one way
 * only is an error that opens nothing, with the fix in its sentence. */
#include "policy/compile.h"

#include <stdlib.h>

#include "policy/rule.h"

struct shown show(struct text value)
{
    struct shown out;

    text_printable(value, out.text, sizeof out.text);
    return out;
}

char *fill_template(const struct compiling *in, struct place place, const char *what,
                    struct text written)
{
    const char *varies = strcmp(what, "path") == 0 ? "; for a part that varies write \"*\"" : "";
    struct text culprit = TEXT_NONE;
    char *filled = NULL;

    switch (template_fill(written, in->values, &filled, &culprit)) {
    case TEMPLATE_OK:
        return filled;
    case TEMPLATE_UNKNOWN:
        diag_error(
            in->diags, place,
            "the %s holds \"%s\", which has no value here, so the policy opens nothing; known "
            "are {{account}}, {{workspace}}, {{region}}, {{appId}} and {{partialId}}%s",
            what, show(culprit).text, varies);
        return NULL;
    case TEMPLATE_BROKEN:
        break;
    }
    diag_error(in->diags, place,
               "the %s holds a broken template at \"%s\", so the policy opens nothing; write "
               "{{account}}, with two braces on each side and no '$'%s",
               what, show(culprit).text, varies);
    return NULL;
}

bool rule_compile(const struct manifest_policy *row, const struct template_values *values,
                  struct rule *out, struct diags *diags)
{
    struct compiling in = { row, values, diags };
    struct host_spec host;
    char *path;

    if (!compile_host(&in, &host))
        return false;
    path = compile_path(&in, &host);
    if (!path)
        return false;
    *out = (struct rule){
        .kind = POLICY_OUTBOUND_ACCESS,
        .place = row->place,
        .name = text_dup(row->name),
        .written_host = text_dup(row->host),
        .written_path = row->path.at ? text_dup(row->path) : NULL,
        .host = text_dup(text_of(host.host)),
        .path = pattern_new(PATTERN_PATH, text_of(path)),
        .port = host.port,
        .major = MAJOR_ANY,
        .methods = METHODS_ALL,
    };
    free(path);
    return true;
}

void rule_fini(struct rule *rule)
{
    free(rule->name);
    free(rule->written_host);
    free(rule->written_path);
    free(rule->host);
    pattern_free(rule->path);
    free(rule->service);
    pattern_free(rule->route);
}

unsigned method_bit(struct text written)
{
    static const char *const names[] = { "GET",   "HEAD",    "POST",  "PUT",    "DELETE",
                                         "PATCH", "OPTIONS", "TRACE", "CONNECT" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_eq_nocase(written, text_of(names[i])))
            return 1U << i;
    return METHOD_OTHER;
}
