/* learn: from access logs to the smallest policies that would have let their requests pass. Here is
 * what is read; what is made of it is policy/learn.h's, how it is shown command_learn_print.c's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/manifest.h"
#include "config/memory.h"
#include "proxy/access_log.h"
#include "proxy/command_learn_parts.h"
#include "proxy/command_parts.h"
#include "proxy/commands.h"

enum { PRINTED = 0, NOTHING_READ = 2, FOLD_MAX = 1000000 };

/* What is no setting. */
struct learn_given {
    const char *from;
    struct learn_options options;
    bool json;
};

/* ---- options ---- */

static struct place place_of(const char *name)
{
    return (struct place){ .file = name };
}

static unsigned take_number(int *argc, char **argv, const char *name, unsigned otherwise,
                            struct diags *diags)
{
    const char *value = command_take_value(argc, argv, name, diags);
    unsigned long long number = otherwise;

    if (value && (!text_to_uint(text_of(value), FOLD_MAX, &number) || number == 0)) {
        diag_fatal(diags, place_of(name), "expects a number from 1 to %d", FOLD_MAX);
        number = otherwise;
    }
    return (unsigned)number;
}

static bool take_flag(int *argc, char **argv, const char *name)
{
    int kept = 0;
    bool found = false;

    for (int i = 0; i < *argc; i++) {
        if (strcmp(argv[i], name) == 0)
            found = true;
        else
            argv[kept++] = argv[i];
    }
    *argc = kept;
    return found;
}

static struct learn_given take_options(int *argc, char **argv, struct diags *diags)
{
    struct learn_given given = { .from = command_take_value(argc, argv, "--from", diags) };

    given.options.fold = take_number(argc, argv, "--fold", LEARN_FOLD, diags);
    given.options.fold_words = take_number(argc, argv, "--fold-words", 0, diags);
    given.options.fresh = take_flag(argc, argv, "--fresh");
    given.json = command_take_json(argc, argv);
    if (!given.from)
        diag_fatal(diags, place_of("--from"),
                   "learn needs an access log: --from FILE, or --from -");
    return given;
}

/* ---- the log ---- */

struct reading_log {
    struct learn *learn;
    const struct destination_rules *rules;
    struct learn_source *source;
};

static void note_time(struct learn_source *source, struct text time)
{
    char shown[LEARN_TIME_MAX];

    text_printable(time, shown, sizeof(shown));
    if (source->first[0] == '\0' || strcmp(shown, source->first) < 0)
        memcpy(source->first, shown, sizeof(shown));
    if (strcmp(shown, source->last) > 0)
        memcpy(source->last, shown, sizeof(shown));
}

static enum learn_seen seen_of(struct text verdict)
{
    if (text_eq(verdict, TEXT("allow")))
        return LEARN_ALLOWED;
    return text_eq(verdict, TEXT("would-deny")) ? LEARN_WOULD_DENY : LEARN_DENIED;
}

/* A name that resolved to a closed address was stopped behind the policy: no policy lets it pass. */
static void note_exchange(struct reading_log *in, const struct access_record *record)
{
    struct learn_source *source = in->source;
    enum learn_seen seen = seen_of(record->verdict);
    struct destination where;
    const char *why;

    source->exchanges++;
    if (text_eq(record->verdict, TEXT("refuse"))) {
        source->refused++;
    } else if (text_eq(record->outcome, TEXT("address_denied"))) {
        source->address++;
    } else if (command_destination(in->rules, record->method, record->url, &where, &why) !=
               DESTINATION_OK) {
        source->broken++;
    } else if (!learn_note(in->learn, record->method, &where, seen)) {
        source->beyond++;
    } else {
        source->requests[seen]++;
        note_time(source, record->time);
    }
}

static void read_log(struct reading_log *in, FILE *input)
{
    struct access_log *log = access_log_new(input);
    struct access_record record;
    enum access_line line;

    while ((line = access_log_next(log, &record)) != ACCESS_LINE_END) {
        in->source->lines++;
        in->source->unjudged += line == ACCESS_LINE_UNJUDGED;
        in->source->incomplete += line == ACCESS_LINE_INCOMPLETE;
        in->source->broken += line == ACCESS_LINE_BROKEN;
        if (line == ACCESS_LINE_EXCHANGE)
            note_exchange(in, &record);
    }
    access_log_free(log);
}

static void read_file(struct reading_log *in, const char *name, struct diags *diags)
{
    bool standard = strcmp(name, "-") == 0;
    FILE *input = standard ? stdin : fopen(name, "re");

    errno = input ? 0 : errno;
    if (input)
        read_log(in, input);
    if (!input || ferror(input))
        diag_fatal(diags, place_of(name), "cannot be read: %s", strerror(errno));
    if (input && !standard)
        fclose(input);
}

static void judge_source(const struct learn_source *source, const char *name, struct diags *diags)
{
    if (diags->fatal == 0 && source->exchanges == 0)
        diag_fatal(diags, place_of(name),
                   "no line tells of a judged request; learn reads what `run` writes to standard "
                   "error (event=exchange), with --log-level info");
    if (source->beyond > 0)
        diag_warning(diags, place_of(name),
                     "there are more than %d distinct requests; %llu requests beyond them were not "
                     "learned from: give a shorter piece of the log",
                     LEARN_REQUESTS_MAX, source->beyond);
}

/* ---- the command ---- */

static int learn_from(const struct learn_given *given, const struct settings *settings,
                      const struct manifest *today, struct diags *diags)
{
    struct learn_source source = { .manifest = today ? today->file : NULL };
    struct providers *providers = providers_load(settings->provider_policies, diags);
    struct learn *learn = learn_new(today, providers, settings, &given->options, diags);
    struct command_rules rules;
    struct reading_log reading = { learn, &rules.rules, &source };
    const struct lesson *lesson = NULL;

    command_rules_init(&rules, settings);
    if (diags->fatal == 0)
        read_file(&reading, given->from, diags);
    judge_source(&source, given->from, diags);
    if (diags->fatal == 0)
        lesson = learn_conclude(learn);
    diags_print(diags, stderr);
    if (lesson && given->json)
        command_learn_print_json(&source, lesson);
    else if (lesson)
        command_learn_print(&source, lesson);
    command_rules_fini(&rules);
    learn_free(learn);
    providers_free(providers);
    return lesson ? PRINTED : NOTHING_READ;
}

/* Nobody needs one to learn: only the name that stands there by default may be missing. */
static bool is_missing_default(const char *file)
{
    return file && strcmp(file, "manifest.json") == 0 && access(file, F_OK) != 0 && errno == ENOENT;
}

int command_learn(int argc, char **argv)
{
    struct diags diags = { 0 };
    struct learn_given given = take_options(&argc, argv, &diags);
    struct settings *settings = settings_load(argc, argv, NULL, &diags);
    struct manifest *today = NULL;
    int exit_code = NOTHING_READ;

    if (settings->manifest_file && !is_missing_default(settings->manifest_file))
        today = manifest_load(settings->manifest_file, &diags);
    if (diags.fatal == 0)
        exit_code = learn_from(&given, settings, today, &diags);
    else
        diags_print(&diags, stderr);
    manifest_free(today);
    settings_free(settings);
    diags_fini(&diags);
    return exit_code;
}
