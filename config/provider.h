/* config/provider.h - the policies.json of apps that others call, as plain rows with their places.
 *
 * Each file is an array of policies, each policy a list of statements (vtex-facts 3.5):
 *
 *   [{ "name": "resolve-graphql", "statements": [
 *        { "effect": "allow", "actions": ["post"], "resources": ["vrn:v.a:…:/_v/graphql"] } ] }]
 *
 * Nothing is decided here: texts are as written. What is no such statement makes the whole file
 * broken, because it may have been meant to deny. */
#ifndef CONFIG_PROVIDER_H
#define CONFIG_PROVIDER_H

#include "config/diag.h"
#include "config/text.h"

struct json_t;

struct provider_text {
    struct text text;
    struct place place;
};

struct provider_statement {
    bool deny;
    struct place place;
    struct provider_text *actions, *resources; /* at least one of each */
    size_t n_actions, n_resources;
};

struct provider_policy {
    struct text name;
    struct place place;
    struct provider_statement *statements;
    size_t n_statements;
};

struct provider {
    char *app;   /* vendor.name, as the file is called */
    char *file;  /* where it was read; what the places borrow */
    bool broken; /* an error finding says why; the rows are incomplete and must not be used */
    struct provider_policy *policies;
    size_t n_policies;
    size_t index;           /* for whoever compiles the rows */
    struct json_t *storage; /* what the texts point into; private */
};

/* Sorted by app, none twice. */
struct providers {
    struct provider **items;
    size_t n;
};

enum { PROVIDER_MAX_BYTES = 1024 * 1024, PROVIDER_MAX_DEPTH = 32, PROVIDERS_MAX = 10000 };

/* Reads DIR/{vendor}.{app}.json and DIR/{vendor}.{app}/policies.json; other names are passed over,
 * with a warning if they end in .json.
 * A folder that cannot be read is a fatal finding, a file that cannot be used an error finding and
 * a broken provider. `dir` NULL: none. The caller frees, with providers_free(). */
struct providers *providers_load(const char *dir, struct diags *diags);
void providers_free(struct providers *providers);
/* The files that it would read, sorted; for whoever watches them. False: the folder cannot be read. */
struct provider_files {
    char **items;
    size_t n;
};
bool provider_files_list(const char *dir, struct provider_files *out);
void provider_files_fini(struct provider_files *files);
/* NULL when there is none; `app` in any case. */
const struct provider *providers_find(const struct providers *providers, struct text app);

/* One file, and one file's bytes (fuzzers, tests); never NULL. */
struct provider *provider_read(const char *app, const char *file, struct diags *diags);
struct provider *provider_parse(const char *app, const char *file, struct text bytes,
                                struct diags *diags);
void provider_free(struct provider *provider);

/* vendor.name, of letters, digits, '_' and '-' (toolbelt's rule). */
bool is_app_name(struct text name);

#endif
