/* A GraphQL request in a URL: application/x-www-form-urlencoded, as Node's querystring reads it. */
#include <stdlib.h>

#include "config/memory.h"
#include "policy/graphql/request.h"

/* What is being decoded, and where it goes. */
struct decoding {
    char *out;
    bool broken; /* '%' without two digits */
};

static struct text decode(struct decoding *decoding, struct text part)
{
    struct text decoded = { decoding->out, 0 };

    for (size_t i = 0; i < part.len; i++) {
        char c = part.at[i];

        if (c == '+')
            c = ' ';
        if (c == '%') {
            bool whole = part.len - i > 2;
            int high = whole ? ascii_hex(part.at[i + 1]) : -1;
            int low = whole ? ascii_hex(part.at[i + 2]) : -1;

            if (high < 0 || low < 0)
                decoding->broken = true;
            else
                c = (char)(high * 16 + low);
            i += 2;
        }
        *decoding->out++ = c;
    }
    decoded.len = (size_t)(decoding->out - decoded.at);
    return decoded;
}

static struct text take_part(struct text *rest)
{
    const char *end = memchr(rest->at, '&', rest->len);
    struct text part = end ? text_span(rest->at, end) : *rest;

    *rest = end ? text_span(end + 1, rest->at + rest->len) : TEXT("");
    return part;
}

/* NULL, or that it is there twice. */
static const char *keep(struct text *place, struct text value)
{
    if (place->at)
        return "a parameter of its URL is there more than once";
    *place = value;
    return NULL;
}

static const char *take(struct graphql_parameters *out, struct text name, struct text value)
{
    if (text_eq(name, TEXT("query")))
        return keep(&out->query, value);
    if (text_eq(name, TEXT("operationName")))
        return keep(&out->operation, value);
    if (text_eq(name, TEXT("variables")))
        return keep(&out->variables, value);
    if (text_eq(name, TEXT("__graphqlBodyHash"))) {
        if (out->hash || !value.len)
            return "the __graphqlBodyHash of its URL is empty, or there more than once";
        out->hash = true;
    }
    out->extensions |= text_eq(name, TEXT("extensions"));
    return NULL;
}

const char *graphql_url_read(struct text query, char **decoded, struct graphql_parameters *out)
{
    struct decoding decoding = { .broken = false };
    const char *why = NULL;
    struct text rest = query;

    *out = (struct graphql_parameters){ .hash = false };
    if (!query.len)
        return NULL;
    *decoded = decoding.out = mem_alloc(query.len + 1, 1);
    for (unsigned n = 0; rest.len && !why; n++) {
        struct text part = take_part(&rest);
        const char *equals = part.len ? memchr(part.at, '=', part.len) : NULL;
        struct text name = decode(&decoding, equals ? text_span(part.at, equals) : part);
        struct text value =
            decode(&decoding, equals ? text_span(equals + 1, part.at + part.len) : TEXT(""));

        why = n == GRAPHQL_PARAMETERS_MAX ? "its URL has more parameters than are allowed"
                                          : take(out, name, value);
    }
    return decoding.broken ? "an escape in its URL is broken" : why;
}
