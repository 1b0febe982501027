/* policy/graphql/catalog.h - the schemas of other apps, by the app's name. Filled once, then read-only and counted
 * with an atomic: several loops may hold one. */
#ifndef POLICY_GRAPHQL_CATALOG_H
#define POLICY_GRAPHQL_CATALOG_H

#include "policy/graphql/gate.h"

struct graphql_catalog;

struct graphql_catalog *graphql_catalog_new(void);
struct graphql_catalog *graphql_catalog_ref(struct graphql_catalog *catalog); /* NULL is fine */
void graphql_catalog_unref(struct graphql_catalog *catalog);                  /* here too */
/* `app` is copied ("vtex.messages"), `gate` taken. False if the app is there already: then `gate` is let go. */
bool graphql_catalog_add(struct graphql_catalog *catalog, struct text app,
                         struct graphql_gate *gate);
size_t graphql_catalog_n(const struct graphql_catalog *catalog);
/* Borrowed, or NULL. */
struct graphql_gate *graphql_catalog_find(const struct graphql_catalog *catalog, struct text app);

/* The app whose GraphQL route `path` is, at an IO host:
 * /{vendor}.{app}/v{major}/{account}[/{workspace}]/_v/graphql, as sent. Empty: it is none. */
struct text graphql_app_in_path(struct text path);

#endif
