#include "policy/graphql/catalog.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "config/memory.h"

struct entry {
    char *app;
    struct graphql_gate *gate;
};

struct graphql_catalog {
    atomic_uint refs;
    struct entry *entries;
    size_t n;
};

struct graphql_catalog *graphql_catalog_new(void)
{
    struct graphql_catalog *catalog = mem_alloc(1, sizeof(*catalog));

    catalog->refs = 1;
    return catalog;
}

struct graphql_catalog *graphql_catalog_ref(struct graphql_catalog *catalog)
{
    if (catalog)
        atomic_fetch_add_explicit(&catalog->refs, 1, memory_order_relaxed);
    return catalog;
}

void graphql_catalog_unref(struct graphql_catalog *catalog)
{
    if (!catalog || atomic_fetch_sub_explicit(&catalog->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < catalog->n; i++) {
        free(catalog->entries[i].app);
        graphql_gate_unref(catalog->entries[i].gate);
    }
    free(catalog->entries);
    free(catalog);
}

/* Some tens of apps: those that one app calls. */
struct graphql_gate *graphql_catalog_find(const struct graphql_catalog *catalog, struct text app)
{
    for (size_t i = 0; i < catalog->n; i++) {
        if (text_eq(text_of(catalog->entries[i].app), app))
            return catalog->entries[i].gate;
    }
    return NULL;
}

bool graphql_catalog_add(struct graphql_catalog *catalog, struct text app,
                         struct graphql_gate *gate)
{
    if (graphql_catalog_find(catalog, app)) {
        graphql_gate_unref(gate);
        return false;
    }
    catalog->entries = mem_grow(catalog->entries, catalog->n, sizeof(*catalog->entries));
    catalog->entries[catalog->n++] = (struct entry){ text_dup(app), gate };
    return true;
}

size_t graphql_catalog_n(const struct graphql_catalog *catalog)
{
    return catalog->n;
}

/* The next segment, from behind a '/' to the next one or the end. */
static struct text take_segment(struct text *rest)
{
    const char *end;
    struct text segment;

    if (!rest->len || *rest->at != '/')
        return TEXT("");
    *rest = text_span(rest->at + 1, rest->at + rest->len);
    end = rest->len ? memchr(rest->at, '/', rest->len) : NULL;
    segment = end ? text_span(rest->at, end) : *rest;
    *rest = text_span(segment.at + segment.len, rest->at + rest->len);
    return segment;
}

struct text graphql_app_in_path(struct text path)
{
    static const struct text route = TEXT_INIT("/_v/graphql");
    struct text rest = path, app, version;

    if (!text_ends(path, route))
        return TEXT("");
    rest.len -= route.len;
    app = take_segment(&rest);
    version = take_segment(&rest);
    if (!app.len || !memchr(app.at, '.', app.len) || version.len < 2 || *version.at != 'v')
        return TEXT("");
    if (!take_segment(&rest).len) /* the account */
        return TEXT("");
    if (rest.len && !take_segment(&rest).len) /* the workspace may be left out */
        return TEXT("");
    return rest.len ? TEXT("") : app;
}
