#include "tests/janus/grants.h"

#include <string.h>

#include "tests/janus/reply.h"
#include "tests/janus/routes.h"

enum { GRANTS_MAX = 1000, PART_MAX = 128, KEY_MAX = 3 * PART_MAX + 3 };

/* Percent-encoded as it came: the question stands in a path, and must be asked letter by letter. */
static bool make_key(struct text user, struct text product, struct text resource, char key[KEY_MAX])
{
    if (user.len >= PART_MAX || product.len >= PART_MAX || resource.len >= PART_MAX)
        return false;
    snprintf(key, KEY_MAX, TEXT_FMT "/" TEXT_FMT "/" TEXT_FMT, TEXT_ARG(user), TEXT_ARG(product),
             TEXT_ARG(resource));
    return true;
}

bool grants_say(const json_t *grants, struct text user, struct text product, struct text resource,
                bool *yes)
{
    char key[KEY_MAX];
    const json_t *said;

    if (!make_key(user, product, resource, key))
        return false;
    said = json_object_get(grants, key);
    *yes = json_is_true(said);
    return said != NULL;
}

static void answer_grants(struct exchange *x)
{
    struct text query = exchange_head(x)->query;
    char user[PART_MAX] = "", product[PART_MAX] = "", resource[PART_MAX] = "", granted[8] = "",
         key[KEY_MAX];

    if (exchange_parameter(x, "clear", 0))
        json_object_clear(x->sim->grants);
    query_text(query, "user", user, sizeof(user), NULL);
    query_text(query, "product", product, sizeof(product), NULL);
    query_text(query, "resource", resource, sizeof(resource), NULL);
    if (query_text(query, "granted", granted, sizeof(granted), NULL) &&
        json_object_size(x->sim->grants) < GRANTS_MAX &&
        make_key(text_of(user), text_of(product), text_of(resource), key))
        json_object_set_new(x->sim->grants, key, json_boolean(strcmp(granted, "true") == 0));
    reply_json(x, 200, json_incref(x->sim->grants));
}

const struct route routes_grants[] = {
    { "sim-grants", "POST", "/_sim/grants", answer_grants, .hosts = ON_ANY,
      .flags = ROUTE_CONTROL },
    { 0 },
};
