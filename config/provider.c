#include "config/provider.h"

#include <jansson.h>
#include <stdlib.h>

#include "config/json_file.h"
#include "config/memory.h"

static const struct json_limits limits = { PROVIDER_MAX_BYTES, PROVIDER_MAX_DEPTH, NULL, true };

/* What a load needs from one function to the next. */
struct reading {
    struct provider *provider;
    struct json_file json;
    struct diags *diags;
};

static bool is_name_byte(char c)
{
    char low = ascii_lower(c);

    return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool is_app_name(struct text name)
{
    size_t dot = 0, n_dots = 0;

    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] == '.') {
            dot = i;
            n_dots++;
        } else if (!is_name_byte(name.at[i])) {
            return false;
        }
    }
    return n_dots == 1 && dot > 0 && dot + 1 < name.len;
}

static struct text string_text(const json_t *value)
{
    return (struct text){ json_string_value(value), json_string_length(value) };
}

static struct place place_at(const struct reading *reading, const char *at)
{
    struct place place = json_place(&reading->json, at);

    place.file = reading->provider->file;
    return place;
}

static bool spoil(const struct reading *reading, const char *at, const char *problem)
{
    reading->provider->broken = true;
    diag_error(reading->diags, place_at(reading, at),
               "%s; what this file denies cannot be known, so nothing of %s is open", problem,
               reading->provider->app);
    return false;
}

/* ---- statements ---- */

/* A key that is not known may narrow or widen what the others say ("condition"). */
static bool check_keys(const struct reading *reading, const char *at)
{
    static const char *const known[] = { "effect", "actions", "resources", "resource",
                                         "description" };
    struct place_walk walk;
    size_t i;

    json_walk(&reading->json, &walk, at);
    while (place_walk_next(&walk)) {
        for (i = 0; i < sizeof known / sizeof *known; i++)
            if (place_key_is(walk.key, known[i]))
                break;
        if (i == sizeof known / sizeof *known)
            return spoil(reading, walk.key.at - 1,
                         "a statement has \"effect\", \"actions\" and \"resources\", and this is "
                         "none of them");
    }
    return true;
}

static bool read_effect(const struct reading *reading, const json_t *item, const char *at,
                        const char *statement, bool *deny)
{
    const json_t *value = json_object_get(item, "effect");

    *deny = json_is_string(value) && text_eq_nocase(string_text(value), TEXT("deny"));
    if (*deny || (json_is_string(value) && text_eq_nocase(string_text(value), TEXT("allow"))))
        return true;
    return spoil(reading, at ? at : statement, "\"effect\" must be \"allow\" or \"deny\"");
}

static bool read_text(const struct reading *reading, const json_t *value, const char *at,
                      struct provider_text *out)
{
    if (!json_is_string(value) || json_string_length(value) == 0)
        return spoil(reading, at, "this must be a string that is not empty");
    *out = (struct provider_text){ string_text(value), place_at(reading, at) };
    return true;
}

static bool read_texts(const struct reading *reading, const json_t *list, const char *at,
                       struct provider_text **out, size_t *n)
{
    struct place_walk walk;

    if (!json_is_array(list) || json_array_size(list) == 0)
        return spoil(reading, at, "this must be an array of strings with at least one in it");
    *out = mem_alloc(json_array_size(list), sizeof **out);
    json_walk(&reading->json, &walk, at);
    for (size_t i = 0; place_walk_next(&walk); i++) {
        if (!read_text(reading, json_array_get(list, i), walk.value, &(*out)[i]))
            return false;
        *n = i + 1;
    }
    return true;
}

/* The old form has one "resource", a string; real files with it are still around. */
static bool read_resources(const struct reading *reading, const json_t *item, const char *list_at,
                           const char *single_at, const char *statement,
                           struct provider_statement *out)
{
    const json_t *list = json_object_get(item, "resources");
    const json_t *single = json_object_get(item, "resource");

    if (list && single)
        return spoil(reading, single_at, "\"resource\" and \"resources\" exclude one another");
    if (list)
        return read_texts(reading, list, list_at, &out->resources, &out->n_resources);
    if (!single)
        return spoil(reading, statement, "\"resources\" is missing");
    out->resources = mem_alloc(1, sizeof *out->resources);
    out->n_resources = 1;
    return read_text(reading, single, single_at, &out->resources[0]);
}

static bool read_statement(const struct reading *reading, const json_t *item, const char *at,
                           struct provider_statement *out)
{
    enum { EFFECT, ACTIONS, RESOURCES, RESOURCE, N_KEYS };
    static const char *const names[] = { "effect", "actions", "resources", "resource" };
    const char *values[N_KEYS];

    out->place = place_at(reading, at);
    if (!json_is_object(item))
        return spoil(reading, at, "a statement must be an object");
    json_find(&reading->json, at, names, N_KEYS, values, reading->diags);
    if (!check_keys(reading, at) || !read_effect(reading, item, values[EFFECT], at, &out->deny))
        return false;
    if (!json_object_get(item, "actions"))
        return spoil(reading, at, "\"actions\" is missing");
    return read_texts(reading, json_object_get(item, "actions"), values[ACTIONS], &out->actions,
                      &out->n_actions) &&
           read_resources(reading, item, values[RESOURCES], values[RESOURCE], at, out);
}

/* ---- policies ---- */

static void read_statements(const struct reading *reading, const json_t *list, const char *at,
                            struct provider_policy *out)
{
    struct place_walk walk;

    if (!json_is_array(list)) {
        spoil(reading, at, "\"statements\" must be an array");
        return;
    }
    out->statements = mem_alloc(json_array_size(list), sizeof *out->statements);
    json_walk(&reading->json, &walk, at);
    for (size_t i = 0; place_walk_next(&walk); i++) {
        out->n_statements = i + 1;
        read_statement(reading, json_array_get(list, i), walk.value, &out->statements[i]);
    }
}

/* Real files hold what belongs into a manifest, {"name":"outbound-access","attrs":…}: it has no
 * statement, so it neither opens nor closes anything. */
static void read_policy(const struct reading *reading, const json_t *item, const char *at,
                        struct provider_policy *out)
{
    static const char *const names[] = { "name", "statements" };
    const json_t *name = json_object_get(item, "name");
    const char *values[2];

    out->place = place_at(reading, at);
    if (!json_is_object(item)) {
        spoil(reading, at, "a policy must be an object");
        return;
    }
    json_find(&reading->json, at, names, 2, values, reading->diags);
    if (json_is_string(name))
        out->name = string_text(name);
    else
        spoil(reading, values[0] ? values[0] : at, "a policy needs a \"name\", a string");
    if (values[1])
        read_statements(reading, json_object_get(item, "statements"), values[1], out);
    else
        diag_warning(reading->diags, place_at(reading, at),
                     "this policy has no \"statements\", so it opens and closes nothing");
}

static void read_policies(const struct reading *reading)
{
    struct provider *provider = reading->provider;
    struct place_walk walk;

    provider->policies = mem_alloc(json_array_size(reading->json.root), sizeof *provider->policies);
    json_walk(&reading->json, &walk, reading->json.top);
    for (size_t i = 0; place_walk_next(&walk); i++) {
        provider->n_policies = i + 1;
        read_policy(reading, json_array_get(reading->json.root, i), walk.value,
                    &provider->policies[i]);
    }
}

/* What is fatal to this file is an error of one provider to the start. */
static void hand_on(const struct diags *from, struct diags *to)
{
    for (size_t i = 0; i < from->n; i++) {
        struct place where = { .file = from->items[i].where };

        if (from->items[i].level == DIAG_ERROR)
            diag_error(to, where, "%s", from->items[i].what);
        else
            diag_warning(to, where, "%s", from->items[i].what);
    }
}

/* `bytes.at` NULL: read the file. */
static struct provider *build(const char *app, const char *file, struct text bytes,
                              struct diags *diags)
{
    struct provider *provider = mem_alloc(1, sizeof *provider);
    struct diags found = { 0 };
    struct reading reading = { .provider = provider, .diags = &found };

    provider->app = text_dup(text_of(app));
    provider->file = text_dup(text_of(file));
    if (bytes.at ? json_file_parse(&reading.json, provider->file, bytes, &limits, &found)
                 : json_file_read(&reading.json, provider->file, &limits, &found)) {
        read_policies(&reading);
        provider->storage = reading.json.root;
        reading.json.root = NULL;
        json_file_fini(&reading.json);
    } else {
        provider->broken = true;
    }
    hand_on(&found, diags);
    diags_fini(&found);
    return provider;
}

struct provider *provider_read(const char *app, const char *file, struct diags *diags)
{
    return build(app, file, TEXT_NONE, diags);
}

struct provider *provider_parse(const char *app, const char *file, struct text bytes,
                                struct diags *diags)
{
    return build(app, file, bytes.at ? bytes : TEXT(""), diags);
}

void provider_free(struct provider *provider)
{
    if (!provider)
        return;
    for (size_t i = 0; i < provider->n_policies; i++) {
        struct provider_policy *policy = &provider->policies[i];

        for (size_t j = 0; j < policy->n_statements; j++) {
            free(policy->statements[j].actions);
            free(policy->statements[j].resources);
        }
        free(policy->statements);
    }
    free(provider->policies);
    json_decref(provider->storage);
    free(provider->app);
    free(provider->file);
    free(provider);
}
