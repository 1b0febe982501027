#include "tests/janus/overrides.h"

#include <string.h>

#include "tests/janus/gate.h"
#include "tests/janus/reply.h"
#include "tests/janus/routes.h"

enum { BODY_MAX = 8192, DELAY_MAX_MS = 60 * 1000 };

static json_t *find(const struct exchange *x)
{
    return json_object_get(x->sim->overrides, x->route->name);
}

static json_int_t number(const json_t *override, const char *name)
{
    return json_integer_value(json_object_get(override, name));
}

/* The override may have been changed while this one waited: it answers as it is now. */
static void answer_now(struct exchange *x)
{
    json_t *override = find(x);
    const char *body = json_string_value(json_object_get(override, "body"));
    int status = (int)number(override, "status");

    if (!override || !json_object_get(override, "status")) {
        x->route->answer(x);
        return;
    }
    if (number(override, "count") == 1)
        json_object_del(x->sim->overrides, x->route->name);
    else if (number(override, "count") > 1)
        json_object_set_new(override, "count", json_integer(number(override, "count") - 1));
    if (status == 0)
        gate_cut(x, false);
    else
        reply_text(x, status, body ? body : "");
}

bool override_answer(struct exchange *x)
{
    json_t *override = find(x);
    long ms = (long)number(override, "ms");

    if (!override)
        return false;
    json_incref(override); /* answer_now() may drop it */
    if (ms > 0) {
        x->on_timer = answer_now;
        gate_wait(x, ms < DELAY_MAX_MS ? ms : DELAY_MAX_MS);
    } else {
        answer_now(x);
    }
    json_decref(override);
    return true;
}

static void answer_override(struct exchange *x)
{
    struct text query = exchange_head(x)->query;
    char route[64] = "", body[BODY_MAX] = "";

    if (exchange_parameter(x, "clear", 0))
        json_object_clear(x->sim->overrides);
    query_text(query, "body", body, sizeof(body), NULL);
    if (query_text(query, "route", route, sizeof(route), NULL)) {
        json_t *override =
            json_pack("{sIsIss}", "ms", (json_int_t)exchange_parameter(x, "ms", 0), "count",
                      (json_int_t)exchange_parameter(x, "count", 0), "body", body);
        unsigned long long status = exchange_parameter(x, "status", 1000);

        if (status < 1000)
            json_object_set_new(override, "status", json_integer((json_int_t)status));
        json_object_set_new(x->sim->overrides, route, override);
    }
    reply_json(x, 200, json_incref(x->sim->overrides));
}

const struct route routes_overrides[] = {
    { "sim-override", "POST", "/_sim/override", answer_override, .hosts = ON_ANY,
      .flags = ROUTE_CONTROL },
    { 0 },
};
