/* What `graphql check` found: for people, and as JSON. */
#include <jansson.h>
#include <stdio.h>

#include "proxy/command_graphql_parts.h"
#include "proxy/command_parts.h"

/* ---- for people ---- */

void graphql_print_findings(const struct graphql_run *run)
{
    diags_print(&run->diags, stderr);
    for (size_t i = 0; i < run->report.diags.n; i++) {
        const struct diag *diag = &run->report.diags.items[i];

        fprintf(stderr, "%s: %s: %s [%s]\n", diag->where,
                diag->level == DIAG_ERROR ? "error" : "warning", diag->what,
                graphql_rule_row(run->report.rules[i])->name);
    }
    if (run->report.diags.dropped > 0)
        fprintf(stderr, "-: warning: %zu more findings are not shown\n", run->report.diags.dropped);
}

/* Which of them a list names. */
typedef bool is_listed(const struct graphql_auth *auth);

static bool is_undecorated(const struct graphql_auth *auth)
{
    return !auth->directive;
}

static bool is_refused_by_2x(const struct graphql_auth *auth)
{
    return !graphql_auth_suits_2x(auth);
}

static void print_list(const struct graphql_run *run, const char *title, size_t n,
                       is_listed *listed)
{
    char label[GRAPHQL_LABEL_MAX];

    printf("%s (%zu):", title, n);
    for (size_t i = 0; i < run->schema.n_fields; i++) {
        const struct graphql_operation_field *each = &run->schema.fields[i];
        struct graphql_auth auth = graphql_auth_of(each->field, each->file, "", NULL);

        if (each->operation != GRAPHQL_SUBSCRIPTION && listed(&auth))
            printf(" %s", graphql_label(each->type, each->field->name, label));
    }
    putchar('\n');
}

void graphql_print_summary(const struct graphql_run *run)
{
    const struct graphql_auth_counts *counts = &run->counts;

    if (run->judged && run->builder == GRAPHQL_BUILDER_1X) {
        print_list(run, "public by default", counts->access[GRAPHQL_UNDECORATED], is_undecorated);
        print_list(run, "builder 2.x would reject", counts->refused_by_2x, is_refused_by_2x);
    }
    if (run->judged)
        printf("builder %s, %zu files, %zu operations: %zu public, %zu private, %zu without @auth, "
               "%zu with an @auth that lets nobody in\n",
               graphql_builder_name(run->builder), run->schema.n_files, counts->operations,
               counts->access[GRAPHQL_PUBLIC], counts->access[GRAPHQL_PRIVATE],
               counts->access[GRAPHQL_UNDECORATED], counts->access[GRAPHQL_BROKEN]);
    printf("%zu errors, %zu warnings\n", run->diags.errors + run->report.diags.errors,
           run->diags.warnings + run->report.diags.warnings);
}

/* ---- for machines ---- */

static json_t *json_of_operation(const struct graphql_operation_field *each)
{
    struct graphql_auth auth = graphql_auth_of(each->field, each->file, "", NULL);
    json_t *made = command_json_place(graphql_schema_place(each->file, each->field->name.at));

    json_object_set_new(made, "operation", json_string(graphql_operation_name(each->operation)));
    json_object_set_new(made, "type", command_json_text(each->type));
    json_object_set_new(made, "field", command_json_text(each->field->name));
    json_object_set_new(made, "access", json_string(graphql_access_name(auth.access)));
    json_object_set_new(made, "productCode", command_json_text(auth.product));
    json_object_set_new(made, "resourceCode", command_json_text(auth.resource));
    return made;
}

static json_t *json_of_finding(const struct diag *diag, const char *rule)
{
    json_t *made = command_json_where(diag->where);

    json_object_set_new(made, "level",
                        json_string(diag->level == DIAG_ERROR ? "error" : "warning"));
    json_object_set_new(made, "rule", rule ? json_string(rule) : json_null());
    json_object_set_new(made, "message", command_json_text(text_of(diag->what)));
    return made;
}

static json_t *json_of_findings(const struct graphql_run *run)
{
    json_t *made = json_array();

    for (size_t i = 0; i < run->diags.n; i++)
        json_array_append_new(made, json_of_finding(&run->diags.items[i], NULL));
    for (size_t i = 0; i < run->report.diags.n; i++)
        json_array_append_new(made, json_of_finding(&run->report.diags.items[i],
                                                    graphql_rule_row(run->report.rules[i])->name));
    return made;
}

void graphql_print_json(const struct graphql_run *run)
{
    const struct diags *files = &run->diags, *found = &run->report.diags;
    json_int_t errors = (json_int_t)files->errors + (json_int_t)found->errors;
    json_int_t warnings = (json_int_t)files->warnings + (json_int_t)found->warnings;
    json_int_t dropped = (json_int_t)files->dropped + (json_int_t)found->dropped;
    json_t *operations = json_array();

    for (size_t i = 0; run->judged && i < run->schema.n_fields; i++)
        json_array_append_new(operations, json_of_operation(&run->schema.fields[i]));
    command_print_json(json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:o, s:o}", "builder",
                                 graphql_builder_name(run->builder), "judged", (int)run->judged,
                                 "files", (json_int_t)run->schema.n_files, "errors", errors,
                                 "warnings", warnings, "notShown", dropped, "operations",
                                 operations, "findings", json_of_findings(run)));
}
