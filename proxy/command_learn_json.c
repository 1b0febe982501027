/* What learn says to machines: one object. */
#include <jansson.h>

#include "proxy/command_learn_parts.h"
#include "proxy/command_parts.h"

static const char *const seen_keys[N_LEARN_SEEN] = { "allowed", "wouldDeny", "denied" };

unsigned long long command_learn_sum(const unsigned long long requests[N_LEARN_SEEN])
{
    return requests[LEARN_ALLOWED] + requests[LEARN_WOULD_DENY] + requests[LEARN_DENIED];
}

bool command_learn_is_closed(const struct learn_left *left)
{
    return left->reason != REASON_RULE;
}

json_t *command_learn_policy(const struct learned *learned)
{
    if (!learned->host)
        return json_pack("{s:s}", "name", learned->name);
    return json_pack("{s:s, s:{s:s, s:s}}", "name", learned->name, "attrs", "host", learned->host,
                     "path", learned->path);
}

static json_t *json_of_requests(const unsigned long long requests[N_LEARN_SEEN])
{
    json_t *made = json_object();

    for (int i = 0; i < N_LEARN_SEEN; i++)
        json_object_set_new(made, seen_keys[i], json_integer((json_int_t)requests[i]));
    return made;
}

static json_t *json_of_request(const struct learn_request *request)
{
    if (!request->host.at)
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "method", command_json_text(request->method), "host",
                     command_json_text(request->host), "path", command_json_text(request->path));
}

static json_t *json_of_evidence(const struct learn_evidence *evidence)
{
    return json_pack("{s:I, s:o, s:I, s:o}", "requests",
                     (json_int_t)command_learn_sum(evidence->requests), "seen",
                     json_of_requests(evidence->requests), "distinctPaths",
                     (json_int_t)evidence->paths, "example", json_of_request(&evidence->first));
}

static json_t *json_of_learned(const struct learned *learned)
{
    json_t *evidence = json_of_evidence(&learned->evidence), *values = json_array();

    for (size_t i = 0; i < learned->n_values; i++)
        json_array_append_new(values, json_integer((json_int_t)learned->values[i]));
    json_object_set_new(evidence, "folded", values);
    if (!learned->host) {
        json_object_set_new(evidence, "opens", json_integer((json_int_t)learned->evidence.opens));
        json_object_set_new(evidence, "used", json_integer((json_int_t)learned->evidence.used));
    }
    return json_pack("{s:o, s:o}", "policy", command_learn_policy(learned), "evidence", evidence);
}

static json_t *json_of_all(const struct lesson *lesson, bool for_denied)
{
    json_t *list = json_array();

    for (size_t i = 0; i < lesson->n_learned; i++)
        if (lesson->learned[i].for_denied == for_denied)
            json_array_append_new(list, json_of_learned(&lesson->learned[i]));
    return list;
}

static json_t *json_of_today(const struct lesson *lesson, enum learn_fate fate)
{
    json_t *list = json_array();

    for (size_t i = 0; i < lesson->n_today; i++) {
        const struct learn_today *row = &lesson->today[i];
        json_t *made;

        if (row->fate != fate)
            continue;
        made = command_json_place(row->place);
        json_object_set_new(made, "name", command_json_text(row->name));
        json_object_set_new(made, "host", command_json_text(row->host));
        json_object_set_new(made, "path", command_json_text(row->path));
        if (row->evidence.paths > 0)
            json_object_set_new(made, "evidence", json_of_evidence(&row->evidence));
        json_array_append_new(list, made);
    }
    return list;
}

/* `{"count", "shown": [...]}`: a log may hold very many. */
static json_t *json_of_left(const struct lesson *lesson, bool closed)
{
    json_t *list = json_array();
    size_t n = 0;

    for (size_t i = 0; i < lesson->n_left; i++) {
        const struct learn_left *left = &lesson->left[i];
        json_t *made;

        if (command_learn_is_closed(left) != closed || n++ >= LEARN_LEFT_SHOWN_JSON)
            continue;
        made = json_of_request(&left->request);
        json_object_set_new(made, "seen", json_of_requests(left->requests));
        json_object_set_new(made, "why", command_json_text(text_of(left->why)));
        json_array_append_new(list, made);
    }
    return json_pack("{s:I, s:o}", "count", (json_int_t)n, "shown", list);
}

static json_t *json_of_words(const struct lesson *lesson)
{
    json_t *list = json_array();

    for (size_t i = 0; i < lesson->n_words; i++)
        json_array_append_new(list,
                              json_pack("{s:o, s:o, s:I}", "host",
                                        command_json_text(text_of(lesson->words[i].host)), "path",
                                        command_json_text(text_of(lesson->words[i].path)), "words",
                                        (json_int_t)lesson->words[i].n));
    return list;
}

static json_t *json_of_source(const struct learn_source *source)
{
    json_t *made = json_pack("{s:I, s:o}", "lines", (json_int_t)source->lines, "requests",
                             json_of_requests(source->requests));

    json_object_set_new(made, "first", source->first[0] ? json_string(source->first) : json_null());
    json_object_set_new(made, "last", source->last[0] ? json_string(source->last) : json_null());
    return made;
}

static json_t *json_of_skipped(const struct learn_source *source)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "refused", (json_int_t)source->refused,
                     "unjudged", (json_int_t)source->unjudged, "addressDenied",
                     (json_int_t)source->address, "incomplete", (json_int_t)source->incomplete,
                     "broken", (json_int_t)source->broken, "beyondCeiling",
                     (json_int_t)source->beyond);
}

void command_learn_print_json(const struct learn_source *source, const struct lesson *lesson)
{
    json_t *out = json_pack("{s:o, s:o}", "source", json_of_source(source), "skipped",
                            json_of_skipped(source));

    json_object_set_new(out, "policies", json_of_all(lesson, false));
    json_object_set_new(out, "policiesForDenied", json_of_all(lesson, true));
    json_object_set_new(out, "kept", json_of_today(lesson, LEARN_KEPT));
    json_object_set_new(out, "replaced", json_of_today(lesson, LEARN_REPLACED));
    json_object_set_new(out, "unused", json_of_today(lesson, LEARN_UNUSED));
    json_object_set_new(out, "openNothing", json_of_today(lesson, LEARN_MUTE));
    json_object_set_new(out, "notExpressible", json_of_left(lesson, false));
    json_object_set_new(out, "closed", json_of_left(lesson, true));
    json_object_set_new(out, "manyWords", json_of_words(lesson));
    command_print_json(out);
}
