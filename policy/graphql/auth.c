#include "policy/graphql/auth.h"

enum { SCOPE, PRODUCT, RESOURCE, N_ARGUMENTS };

/* One @auth on its way from the tree to a struct graphql_auth. */
struct reading {
    const struct graphql_file *file;
    const char *label;
    struct graphql_report *report; /* or NULL */
    struct graphql_auth *auth;
    const struct graphql_value *values[N_ARGUMENTS]; /* NULL: not there, or null */
    bool seen[N_ARGUMENTS];
};

/* Says it, if somebody listens. */
#define SAY(reading, rule, at, ...)                                                                \
    do {                                                                                           \
        if ((reading)->report)                                                                     \
            graphql_say((reading)->report, rule, graphql_schema_place((reading)->file, at),        \
                        __VA_ARGS__);                                                              \
    } while (0)

const char *graphql_access_name(enum graphql_access access)
{
    static const char *const names[] = { [GRAPHQL_UNDECORATED] = "none",
                                         [GRAPHQL_PUBLIC] = "public",
                                         [GRAPHQL_PRIVATE] = "private",
                                         [GRAPHQL_BROKEN] = "broken" };

    return names[access];
}

bool graphql_auth_suits_2x(const struct graphql_auth *auth)
{
    return auth->has_scope && (auth->access == GRAPHQL_PUBLIC || auth->access == GRAPHQL_PRIVATE);
}

static void breaks(struct reading *reading)
{
    reading->auth->access = GRAPHQL_BROKEN;
}

/* ---- arguments ---- */

static const char *const arguments[N_ARGUMENTS] = { "scope", "productCode", "resourceCode" };

/* Which one it is, or N_ARGUMENTS. */
static size_t known_argument(struct text name, bool (*same)(struct text, struct text))
{
    size_t i = 0;

    while (i < N_ARGUMENTS && !same(name, text_of(arguments[i])))
        i++;
    return i;
}

static bool same_exactly(struct text a, struct text b)
{
    return text_eq(a, b);
}

static void say_unknown(struct reading *reading, struct text name)
{
    size_t meant = known_argument(name, text_eq_nocase);

    breaks(reading);
    if (meant < N_ARGUMENTS)
        SAY(reading, RULE_ARGUMENT_UNKNOWN, name.at,
            "@auth on %s has an argument \"" GRAPHQL_NAME_FMT "\"; it is written \"%s\"",
            reading->label, GRAPHQL_NAME_ARG(name), arguments[meant]);
    else
        SAY(reading, RULE_ARGUMENT_UNKNOWN, name.at,
            "@auth on %s has an argument \"" GRAPHQL_NAME_FMT
            "\", which it does not know; it takes scope, productCode and resourceCode",
            reading->label, GRAPHQL_NAME_ARG(name));
}

static void take_argument(struct reading *reading, const struct graphql_argument *argument)
{
    const struct graphql_value *value =
        argument->value->kind == GRAPHQL_NULL ? NULL : argument->value;
    size_t known = known_argument(argument->name, same_exactly);

    if (known == N_ARGUMENTS) {
        say_unknown(reading, argument->name);
    } else if (reading->seen[known]) {
        breaks(reading);
        SAY(reading, RULE_ARGUMENT_TWICE, argument->name.at, "@auth on %s has %s twice; keep one",
            reading->label, arguments[known]);
    } else {
        reading->seen[known] = true;
        reading->values[known] = value;
    }
}

/* ---- the scope ---- */

static bool is_scope(struct text name)
{
    return text_eq(name, TEXT("PUBLIC")) || text_eq(name, TEXT("PRIVATE"));
}

static void say_scope(struct reading *reading)
{
    const struct graphql_value *scope = reading->values[SCOPE];
    bool string = scope->kind == GRAPHQL_STRING || scope->kind == GRAPHQL_BLOCK_STRING;

    breaks(reading);
    if (scope->kind == GRAPHQL_ENUM)
        SAY(reading, RULE_SCOPE_UNKNOWN, scope->at,
            "@auth on %s has the scope " GRAPHQL_NAME_FMT
            ", which is none; write PUBLIC, or PRIVATE with productCode and resourceCode",
            reading->label, GRAPHQL_NAME_ARG(scope->text));
    else
        SAY(reading, RULE_SCOPE_TYPE, scope->at,
            "the scope of @auth on %s is %s, not a name; write PUBLIC or PRIVATE%s", reading->label,
            string ? "a string" : "a value of another type", string ? " without quotes" : "");
}

/* True if the scope is PUBLIC beyond doubt. */
static bool read_scope(struct reading *reading)
{
    const struct graphql_value *scope = reading->values[SCOPE];

    reading->auth->has_scope = scope != NULL;
    if (!scope)
        return false;
    if (scope->kind == GRAPHQL_ENUM && is_scope(scope->text))
        return text_eq(scope->text, TEXT("PUBLIC"));
    say_scope(reading);
    return false;
}

/* ---- the codes ---- */

static bool is_blank(struct text code)
{
    return text_trim(code).len == 0;
}

/* Letters, digits and what real codes have besides: a path takes them as they are. */
static bool is_plain(struct text code)
{
    for (size_t i = 0; i < code.len; i++) {
        char c = code.at[i], low = ascii_lower(c);

        if ((low < 'a' || low > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.')
            return false;
    }
    return !text_eq(code, TEXT(".")) && !text_eq(code, TEXT(".."));
}

static void check_code(struct reading *reading, const char *name, const struct graphql_value *code,
                       bool needed)
{
    char shown[64];

    if (!code)
        return;
    if (code->kind != GRAPHQL_STRING && code->kind != GRAPHQL_BLOCK_STRING) {
        breaks(reading);
        SAY(reading, RULE_CODE_TYPE, code->at, "%s of @auth on %s is no string; put it in quotes",
            name, reading->label);
    } else if (needed && is_blank(code->text)) {
        breaks(reading);
        SAY(reading, RULE_CODE_EMPTY, code->at,
            "%s of @auth on %s is empty, which counts as none; write the code of License Manager",
            name, reading->label);
    } else if (needed && !is_plain(code->text)) {
        text_printable(code->text, shown, sizeof(shown));
        SAY(reading, RULE_CODE_ODD, code->at,
            "%s of @auth on %s is \"%s\"; it becomes a part of License Manager's path as it is, so "
            "check its spelling there",
            name, reading->label, shown);
    }
}

static const char *what_is_missing(const struct reading *reading)
{
    if (!reading->values[PRODUCT] && !reading->values[RESOURCE])
        return "productCode and resourceCode";
    if (!reading->values[PRODUCT])
        return "productCode";
    return reading->values[RESOURCE] ? NULL : "resourceCode";
}

static void check_missing(struct reading *reading)
{
    const char *missing = what_is_missing(reading);

    if (!missing)
        return;
    breaks(reading);
    SAY(reading, RULE_CODE_MISSING, reading->auth->directive->at,
        "@auth on %s is PRIVATE%s but has no %s, so every request of it fails; add %s, or write "
        "scope: PUBLIC",
        reading->label, reading->auth->has_scope ? "" : " (it has no scope)", missing,
        !reading->values[PRODUCT] && !reading->values[RESOURCE] ? "both codes of License Manager"
                                                                : missing);
}

/* ---- the directive ---- */

static void read_public(struct reading *reading)
{
    check_code(reading, "productCode", reading->values[PRODUCT], false);
    check_code(reading, "resourceCode", reading->values[RESOURCE], false);
    if (reading->values[PRODUCT] || reading->values[RESOURCE])
        SAY(reading, RULE_CODES_UNUSED, reading->auth->directive->at,
            "%s is PUBLIC: everyone is let in, and the codes are not looked at; remove them, or "
            "write scope: PRIVATE",
            reading->label);
    if (reading->auth->access != GRAPHQL_BROKEN)
        reading->auth->access = GRAPHQL_PUBLIC;
}

static void read_private(struct reading *reading)
{
    check_code(reading, "productCode", reading->values[PRODUCT], true);
    check_code(reading, "resourceCode", reading->values[RESOURCE], true);
    /* of an unknown scope nobody knows whether it needs codes */
    if (!reading->values[SCOPE] ||
        (reading->values[SCOPE]->kind == GRAPHQL_ENUM && is_scope(reading->values[SCOPE]->text)))
        check_missing(reading);
    if (reading->auth->access == GRAPHQL_BROKEN)
        return;
    reading->auth->access = GRAPHQL_PRIVATE;
    reading->auth->product = reading->values[PRODUCT]->text;
    reading->auth->resource = reading->values[RESOURCE]->text;
}

static void read_directive(struct reading *reading)
{
    const struct graphql_argument *argument = reading->auth->directive->arguments;

    for (; argument; argument = argument->next)
        take_argument(reading, argument);
    if (read_scope(reading))
        read_public(reading);
    else
        read_private(reading);
}

struct graphql_auth graphql_auth_of(const struct graphql_member *field,
                                    const struct graphql_file *file, const char *label,
                                    struct graphql_report *report)
{
    struct graphql_auth auth = { .access = GRAPHQL_UNDECORATED };
    struct reading reading = { file, label, report, &auth, { NULL }, { false } };
    const struct graphql_directive *each = field->directives;

    for (; each; each = each->next) {
        if (!text_eq(each->name, TEXT("auth")))
            continue;
        if (!auth.directive) {
            auth.directive = each;
            read_directive(&reading);
            continue;
        }
        breaks(&reading);
        SAY(&reading, RULE_AUTH_TWICE, each->at,
            "%s has @auth twice, and it cannot be repeated; keep one of them", label);
    }
    return auth;
}
