/* graphql check: the rules of @auth over the files of a schema, before it ships.
 *
 * Of all settings it knows the manifest only, for the builder's version: it needs no account, so that it
 * runs wherever the files are. */
#include <stdio.h>
#include <stdlib.h>

#include "config/builder.h"
#include "proxy/command_graphql_parts.h"
#include "proxy/command_parts.h"
#include "proxy/command_report.h"
#include "proxy/commands.h"

enum { FINE = 0, ERRORS = 1, UNREADABLE = 2 };

const char *graphql_builder_name(enum graphql_builder builder)
{
    return builder == GRAPHQL_BUILDER_2X ? "2.x" : "1.x";
}

/* ---- which builder ---- */

static void take_major(struct graphql_run *run, unsigned major, struct place place)
{
    run->builder = major >= 2 ? GRAPHQL_BUILDER_2X : GRAPHQL_BUILDER_1X;
    run->builder_place = place;
    if (major > 2)
        diag_fatal(&run->diags, place,
                   "the rules of builder %u.x are not known here; choose with --builder 1.x or "
                   "--builder 2.x",
                   major);
}

static void read_manifest(struct graphql_run *run, const char *file)
{
    struct builder builder;

    if (!builder_read(file, "graphql", &builder, &run->diags))
        return;
    if (builder.found)
        take_major(run, builder.major, builder.place);
    else
        diag_fatal(&run->diags, builder.place,
                   "has no \"graphql\" in its \"builders\"; name the rules with --builder 1.x or "
                   "--builder 2.x");
}

static void choose_builder(struct graphql_run *run, const char *builder, const char *manifest)
{
    const char *named = getenv("JANUS_MANIFEST");

    if (!builder)
        read_manifest(run, manifest ? manifest : named && *named ? named : "manifest.json");
    else if (strcmp(builder, "1.x") == 0)
        run->builder = GRAPHQL_BUILDER_1X;
    else if (strcmp(builder, "2.x") == 0)
        run->builder = GRAPHQL_BUILDER_2X;
    else
        diag_fatal(&run->diags, (struct place){ .file = "--builder" }, "must be 1.x or 2.x");
}

/* ---- the run ---- */

static void read_paths(struct graphql_run *run, int argc, char **argv)
{
    struct graphql_files *files = graphql_files_new(run);
    bool words_only = false;
    int n = 0;

    for (int i = 0; i < argc; i++) {
        if (!words_only && strcmp(argv[i], "--") == 0) {
            words_only = true;
        } else if (!words_only && argv[i][0] == '-') {
            diag_fatal(&run->diags, (struct place){ .file = argv[i] },
                       "is no option here; there are --builder, --manifest, --json and --sarif");
        } else {
            graphql_files_read(files, argv[i]);
            n++;
        }
    }
    graphql_files_free(files);
    if (n == 0)
        diag_fatal(&run->diags, (struct place){ .file = "graphql check" },
                   "needs the schema: a file, or a folder with *.graphql");
    else if (run->schema.n_files == 0 && run->diags.fatal == 0)
        diag_fatal(&run->diags, (struct place){ .file = "graphql check" },
                   "no *.graphql was found; name the folder of the schema");
}

static void judge(struct graphql_run *run)
{
    run->judged = run->diags.fatal == 0 && run->report.diags.fatal == 0;
    if (!run->judged)
        return;
    graphql_schema_link(&run->schema, &run->report);
    run->counts = graphql_auth_check(&run->schema, run->builder, &run->report);
}

static int exit_code(const struct graphql_run *run)
{
    if (!run->judged)
        return UNREADABLE;
    return run->report.diags.errors + run->diags.errors > 0 ? ERRORS : FINE;
}

/* False when there should be a report and is none. */
static bool write_sarif(const struct graphql_run *run, struct report_file *sarif)
{
    if (!sarif)
        return true;
    graphql_write_sarif(run, report_file_stream(sarif));
    return report_file_close(sarif, true);
}

static void say(const struct graphql_run *run, bool json)
{
    if (json) {
        graphql_print_json(run);
        return;
    }
    graphql_print_findings(run);
    graphql_print_summary(run);
}

static int check(int argc, char **argv)
{
    struct graphql_run run = { 0 };
    bool json = command_take_json(&argc, argv);
    const char *builder = command_take_value(&argc, argv, "--builder", &run.diags);
    const char *manifest = command_take_value(&argc, argv, "--manifest", &run.diags);
    const char *file = command_take_value(&argc, argv, "--sarif", &run.diags);
    struct report_file *sarif = NULL;
    int code;

    if (run.diags.fatal == 0)
        choose_builder(&run, builder, manifest);
    read_paths(&run, argc, argv);
    if (file)
        sarif = report_file_open("--sarif", file, &run.diags);
    judge(&run);
    say(&run, json);
    code = write_sarif(&run, sarif) ? exit_code(&run) : UNREADABLE;
    graphql_schema_fini(&run.schema);
    graphql_report_fini(&run.report);
    diags_fini(&run.diags);
    return code;
}

int command_graphql(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "check") == 0)
        return check(argc - 2, argv + 2);
    fprintf(stderr, "janus-sidecar graphql: error: %s%s; known is check\n",
            argc >= 2 ? argv[1] : "no command is given", argc >= 2 ? " is not a command" : "");
    return UNREADABLE;
}
