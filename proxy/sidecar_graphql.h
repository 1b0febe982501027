/* proxy/sidecar_graphql.h - schemas from the disk: those of other apps, and the app's own. */
#ifndef PROXY_SIDECAR_GRAPHQL_H
#define PROXY_SIDECAR_GRAPHQL_H

#include "config/diag.h"
#include "config/settings.h"
#include "policy/graphql/catalog.h"

/* DIR/{vendor}.{app}.graphql, and DIR/{vendor}.{app} with *.graphql in it and below. What cannot be read is a
 * fatal finding, and the result is NULL; so it is when no folder is named. */
struct graphql_catalog *schemas_load(const struct settings *settings, struct diags *diags);

/* Of --graphql-schema, under the builder that the manifest names. What is wrong with its @auth are findings;
 * NULL if one is fatal, or if no schema is named. */
struct graphql_gate *own_schema_load(const struct settings *settings, struct diags *diags);

#endif
