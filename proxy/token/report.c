#include "proxy/token/report.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/token/jwt.h"

enum { CLAIM_MAX = 256, WARNING_MAX = 512 };

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

/* "vtexappkey-acme-ABCDEF": the subject of a login's token is half of the pair. */
static void mask_app_key(char *shown)
{
    char *last = strrchr(shown, '-');

    if (text_starts(text_of(shown), TEXT("vtexappkey-")))
        memset(last + 1, '*', strlen(last + 1));
}

/* A claim that is a text, or the first of a list, cut; nothing else is told. */
static json_t *claim_text(const json_t *claim)
{
    const char *value = json_string_value(json_is_array(claim) ? json_array_get(claim, 0) : claim);
    char shown[CLAIM_MAX];

    if (!value)
        return json_null();
    text_printable(text_of(value), shown, sizeof(shown));
    mask_app_key(shown);
    return json_string(shown);
}

static json_t *claims_report(const json_t *claims)
{
    static const char *const names[] = { "account", "workspace", "sub", "audience", "aud", "iss" };
    json_t *report = json_object();

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const json_t *claim = json_object_get(claims, names[i]);
        if (claim)
            json_object_set_new(report, names[i], claim_text(claim));
    }
    return report;
}

static json_t *warnings_report(const struct token_facts *facts, const struct settings *settings)
{
    struct text token = token_text(facts->current);
    char theirs[CLAIM_MAX], sentence[WARNING_MAX];
    const char *name =
        jwt_is_for_another(token, settings->account, settings->workspace, theirs, sizeof(theirs));
    json_t *warnings = json_array();

    if (name) {
        snprintf(
            sentence, sizeof(sentence),
            "the token is for the %s \"%s\", not for the one in --%s: the platform may refuse it",
            name, theirs, name);
        json_array_append_new(warnings, json_string(sentence));
    }
    if (!token_expires_at(facts->current))
        json_array_append_new(
            warnings,
            json_string("the token does not say when it expires: --token-lifetime counts"));
    return warnings;
}

static void add_current(json_t *report, const struct token_facts *facts, json_t *claims,
                        const struct settings *settings)
{
    json_object_set_new(report, "claims", claims ? claims_report(claims) : json_null());
    json_object_set_new(report, "warnings", warnings_report(facts, settings));
    json_object_set_new(report, "expiresInMs", json_integer(facts->expires_in_ms));
    json_object_set_new(report, "renewalInMs", json_integer(facts->renewal_in_ms));
    json_object_set_new(report, "generation", json_integer(token_generation(facts->current)));
    json_object_set_new(report, "fingerprint", json_string(token_fingerprint(facts->current)));
}

json_t *token_report(const struct token_facts *facts, const struct settings *settings)
{
    json_t *report = json_pack(
        "{s:b, s:s, s:s, s:o, s:o, s:o, s:I, s:I}", "live", facts->current != NULL, "account",
        settings->account, "workspace", settings->workspace, "source", text_or_null(facts->source),
        "from", text_or_null(facts->label), "complaint", text_or_null(facts->complaint), "renewals",
        (json_int_t)facts->n_renewals, "failures", (json_int_t)facts->n_failures);

    if (facts->current) {
        json_t *claims = jwt_claims(token_text(facts->current));
        add_current(report, facts, claims, settings);
        json_decref(claims);
    }
    return report;
}

char *token_report_text(const struct token_facts *facts, const struct settings *settings)
{
    json_t *report = token_report(facts, settings);
    char *dump = json_dumps(report, JSON_COMPACT), *text;
    size_t size = strlen(dump) + sizeof("\n");

    text = mem_alloc(size, 1);
    snprintf(text, size, "%s\n", dump);
    free(dump);
    json_decref(report);
    return text;
}
