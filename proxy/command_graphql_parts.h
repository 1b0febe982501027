/* proxy/command_graphql_parts.h - between command_graphql.c, which decides, and the files beside it, which
 * find the schema's files and say what was found. */
#ifndef PROXY_COMMAND_GRAPHQL_PARTS_H
#define PROXY_COMMAND_GRAPHQL_PARTS_H

#include <stdio.h>

#include "policy/graphql/auth_check.h"

/* A whole schema; a real one has fewer than a hundred files and less than 1 MB. */
enum {
    GRAPHQL_FILES_MAX = 10000,
    GRAPHQL_FOLDERS_DEPTH_MAX = 32,
    GRAPHQL_SCHEMA_BYTES_MAX = 16 * 1024 * 1024,
};

/* All that one run knows. */
struct graphql_run {
    enum graphql_builder builder;
    struct place builder_place; /* line 0: the option said it */
    struct diags diags;         /* options, and what cannot be read */
    struct graphql_report report;
    struct graphql_schema schema;
    struct graphql_auth_counts counts;
    bool judged; /* everything was read, so the counts mean something */
};

/* ---- command_graphql_files.c ---- */

/* Reads `path`, a file or a folder, into the schema: of a folder all *.graphql in it and below, in the
 * order of their names. What cannot be read is a fatal finding. A file that was read already is not read
 * again. */
struct graphql_files;
struct graphql_files *graphql_files_new(struct graphql_run *run);
void graphql_files_free(struct graphql_files *files);
void graphql_files_read(struct graphql_files *files, const char *path);

/* ---- command_graphql_print.c ---- */

void graphql_print_findings(const struct graphql_run *run);
void graphql_print_summary(const struct graphql_run *run);
void graphql_print_json(const struct graphql_run *run);

/* ---- command_sarif.c ---- */

/* SARIF 2.1.0. */
void graphql_write_sarif(const struct graphql_run *run, FILE *out);

/* ---- command_graphql.c ---- */

/* "1.x" */
const char *graphql_builder_name(enum graphql_builder builder);

#endif
