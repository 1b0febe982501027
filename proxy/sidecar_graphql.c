#include "proxy/sidecar_graphql.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/builder.h"
#include "config/memory.h"
#include "proxy/command_graphql_parts.h"

/* ---- one schema ---- */

static void add_all(struct diags *to, const struct diags *from)
{
    for (size_t i = 0; i < from->n; i++) {
        const struct diag *each = &from->items[i];
        struct place place = { .file = each->where };

        if (each->fatal)
            diag_fatal(to, place, "%s", each->what);
        else if (each->level == DIAG_ERROR)
            diag_error(to, place, "%s", each->what);
        else
            diag_warning(to, place, "%s", each->what);
    }
}

/* Linked; NULL after a fatal finding. The rules of @auth are for whoever wrote the schema: asked for with
 * `with_rules`. */
static struct graphql_gate *load(const char *path, enum graphql_builder builder, bool with_rules,
                                 struct diags *diags)
{
    struct graphql_run run = { .builder = builder };
    struct graphql_files *files = graphql_files_new(&run);
    struct graphql_gate *gate = NULL;
    unsigned fatal = diags->fatal;

    graphql_files_read(files, path);
    graphql_files_free(files);
    if (run.diags.fatal == 0 && run.schema.n_files == 0)
        diag_fatal(&run.diags, (struct place){ .file = path }, "no *.graphql was found in it");
    if (run.diags.fatal == 0 && run.report.diags.fatal == 0) {
        graphql_schema_link(&run.schema, &run.report);
        if (with_rules)
            graphql_auth_check(&run.schema, builder, &run.report);
        gate = graphql_gate_new(&run.schema, builder);
    }
    add_all(diags, &run.diags);
    if (with_rules || run.report.diags.fatal)
        add_all(diags, &run.report.diags);
    graphql_schema_fini(&run.schema);
    graphql_report_fini(&run.report);
    diags_fini(&run.diags);
    if (diags->fatal == fatal)
        return gate;
    graphql_gate_unref(gate);
    return NULL;
}

/* ---- other apps ---- */

/* "vtex.messages.graphql" and the folder "vtex.messages" are for vtex.messages; empty: for no app. */
static struct text app_of_entry(const char *name, bool folder)
{
    static const struct text end = TEXT_INIT(".graphql");
    struct text app = text_of(name);
    const char *dot;

    if (!folder && !text_ends(app, end))
        return TEXT("");
    app.len -= folder ? 0 : end.len;
    dot = app.len ? memchr(app.at, '.', app.len) : NULL;
    return dot && dot > app.at && dot + 1 < app.at + app.len ? app : TEXT("");
}

static void load_entry(struct graphql_catalog *catalog, const char *dir, const char *name,
                       struct diags *diags)
{
    struct graphql_gate *gate;
    struct stat status;
    struct text app;
    char *path = NULL;

    if (asprintf(&path, "%s/%s", dir, name) < 0)
        abort();
    app = stat(path, &status) == 0 ? app_of_entry(name, S_ISDIR(status.st_mode)) : TEXT("");
    if (app.len) {
        gate = load(path, GRAPHQL_BUILDER_1X, false, diags);
        if (gate && !graphql_catalog_add(catalog, app, gate))
            diag_fatal(diags, (struct place){ .file = path },
                       "is a second schema of the same app: keep the file or the folder");
    } else {
        diag_warning(diags, (struct place){ .file = path },
                     "is passed over: schemas are called VENDOR.APP.graphql, or stand in a folder "
                     "VENDOR.APP");
    }
    free(path);
}

struct graphql_catalog *schemas_load(const struct settings *settings, struct diags *diags)
{
    const char *dir = settings->provider_schemas;
    struct graphql_catalog *catalog;
    const struct dirent *entry;
    unsigned fatal = diags->fatal;
    DIR *stream;

    if (!dir)
        return NULL;
    stream = opendir(dir);
    if (!stream) {
        diag_fatal(diags, (struct place){ .file = dir }, "%s", strerror(errno));
        return NULL;
    }
    catalog = graphql_catalog_new();
    while ((entry = readdir(stream))) {
        if (entry->d_name[0] != '.')
            load_entry(catalog, dir, entry->d_name, diags);
    }
    closedir(stream);
    if (diags->fatal == fatal)
        return catalog;
    graphql_catalog_unref(catalog);
    return NULL;
}

/* ---- the app's own ---- */

/* Without a word from the manifest the stricter rules hold: what has no @auth is closed. */
static enum graphql_builder builder_of(const struct settings *settings, struct diags *diags)
{
    struct builder builder;

    if (!builder_read(settings->manifest_file, "graphql", &builder, diags))
        return GRAPHQL_BUILDER_2X;
    if (!builder.found)
        diag_warning(
            diags, builder.place,
            "has no \"graphql\" in its \"builders\": the guard takes the rules of 2.x, and "
            "what has no @auth is closed");
    return builder.found && builder.major < 2 ? GRAPHQL_BUILDER_1X : GRAPHQL_BUILDER_2X;
}

struct graphql_gate *own_schema_load(const struct settings *settings, struct diags *diags)
{
    if (!settings->graphql_schema)
        return NULL;
    return load(settings->graphql_schema, builder_of(settings, diags), true, diags);
}
