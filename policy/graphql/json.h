/* policy/graphql/json.h - JSON (RFC 8259) of a request: read strictly, in place, in one pass; nothing is built.
 *
 * All other JSON here is jansson's. It takes some 10 ns a byte, which is several times what a document takes
 * to be parsed and judged, and of a request we need three members. What is accepted here jansson accepts,
 * and strings are the same: a fuzzer compares them. Refused like there: bytes that are not UTF-8, half
 * surrogates, \u0000. Pure. */
#ifndef POLICY_GRAPHQL_JSON_H
#define POLICY_GRAPHQL_JSON_H

#include <stdbool.h>

#include "config/text.h"

enum { GRAPHQL_JSON_DEEPEST = 200 };

enum graphql_json_kind {
    GRAPHQL_JSON_NULL,
    GRAPHQL_JSON_TRUE,
    GRAPHQL_JSON_FALSE,
    GRAPHQL_JSON_NUMBER,
    GRAPHQL_JSON_STRING,
    GRAPHQL_JSON_OBJECT,
    GRAPHQL_JSON_ARRAY,
};

struct graphql_json_value {
    enum graphql_json_kind kind;
    struct text text; /* of a string, what it means; else as written */
};

/* Set the first three, the rest zero. `bad` sticks: who reads on is told of the end. */
struct graphql_json {
    const char *at, *end;
    size_t room_size;        /* of all that will be read: no byte is decoded twice */
    char *room, *room_start; /* for strings with escapes: taken when the first one comes */
    bool bad;
};

void graphql_json_fini(struct graphql_json *json);

/* The next value, whole. */
bool graphql_json_read(struct graphql_json *json, struct graphql_json_value *out);

/* True, and behind it, if an object or array begins here. */
bool graphql_json_enter(struct graphql_json *json, char open);
/* Inside it: true at the next member's value, or the next element. `first` is true before the first. */
bool graphql_json_member(struct graphql_json *json, bool *first, struct text *name);
bool graphql_json_element(struct graphql_json *json, bool *first);

/* Nothing but blanks is left, and nothing was bad. */
bool graphql_json_ends(struct graphql_json *json);

#endif
