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
struct learn_words_given {
    struct strings from;
    struct learn_options options;
    bool json;
};

/* ---- options ---- */

static struct place place_of(const char *name)
{
    return (struct place){ .file = name };
}

static void take_number(const char *name, const char *value, unsigned least, unsigned *out,
                        struct diags *diags)
{
    unsigned long long number;

    if (!text_to_uint(text_of(value), FOLD_MAX, &number) || number < least)
        diag_fatal(diags, place_of(name), "expects a number from %u to %d", least, FOLD_MAX);
    else
        *out = (unsigned)number;
}

static void take_value(struct learn_words_given *given, const char *name, char *value,
                       struct diags *diags)
{
    if (!value || *value == '\0') {
        diag_fatal(diags, place_of(name), "a value is missing");
    } else if (strcmp(name, "--from") == 0) {
        given->from.items = mem_grow(given->from.items, given->from.n, sizeof(char *));
        given->from.items[given->from.n++] = value;
    } else if (strcmp(name, "--fold") == 0) {
        take_number(name, value, 1, &given->options.fold, diags);
    } else {
        take_number(name, value, 0, &given->options.fold_words, diags);
    }
}

/* Reads --name VALUE or --name=VALUE at argv[i]; returns how many arguments that took, 0: none. */
static int take_option(struct learn_words_given *given, int argc, char **argv, int i,
                       struct diags *diags)
{
    static const char *const names[] = { "--from", "--fold", "--fold-words" };

    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        size_t len = strlen(names[n]);

        if (strncmp(argv[i], names[n], len) != 0)
            continue;
        if (argv[i][len] == '=') {
            take_value(given, names[n], argv[i] + len + 1, diags);
            return 1;
        }
        if (argv[i][len] == '\0') {
            take_value(given, names[n], i + 1 < argc ? argv[i + 1] : NULL, diags);
            return i + 1 < argc ? 2 : 1;
        }
    }
    return 0;
}

/* Takes them out of the arguments; the rest is settings. */
static void take_options(struct learn_words_given *given, int *argc, char **argv,
                         struct diags *diags)
{
    int kept = 1, taken;

    given->json = command_take_json(argc, argv);
    given->options.fold = LEARN_FOLD;
    for (int i = 1; i < *argc; i += taken) {
        taken = take_option(given, *argc, argv, i, diags);
        if (taken == 0 && strcmp(argv[i], "--fresh") == 0) {
            given->options.fresh = true;
            taken = 1;
        }
        if (taken == 0) {
            argv[kept++] = argv[i];
            taken = 1;
        }
    }
    *argc = kept;
    if (given->from.n == 0)
        diag_fatal(diags, place_of("--from"),
                   "learn needs an access log: --from FILE, or --from -");
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

    if (!input) {
        diag_fatal(diags, place_of(name), "cannot be read: %s", strerror(errno));
        return;
    }
    errno = 0;
    read_log(in, input);
    if (ferror(input))
        diag_fatal(diags, place_of(name), "cannot be read: %s", strerror(errno));
    if (!standard)
        fclose(input);
    in->source->files++;
}

static void read_all(struct reading_log *in, const struct strings *from, struct diags *diags)
{
    struct learn_source *source = in->source;

    for (size_t i = 0; i < from->n; i++)
        read_file(in, from->items[i], diags);
    if (diags->fatal == 0 && source->exchanges == 0)
        diag_fatal(diags, place_of(from->items[0]),
                   "no line tells of a judged request; learn reads what `run` writes to standard "
                   "error (event=exchange), with --log-level info");
    if (source->beyond > 0)
        diag_warning(diags, place_of(from->items[0]),
                     "there are more than %d distinct requests; %llu requests beyond them were not "
                     "learned from: give a shorter piece of the log",
                     LEARN_REQUESTS_MAX, source->beyond);
}

/* ---- the command ---- */

static int learn_from(const struct learn_words_given *given, const struct settings *settings,
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
        read_all(&reading, &given->from, diags);
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
    struct learn_words_given given = { 0 };
    struct settings *settings;
    struct manifest *today = NULL;
    int exit_code = NOTHING_READ;

    take_options(&given, &argc, argv, &diags);
    settings = settings_load(argc, argv, NULL, &diags);
    if (settings->manifest_file && !is_missing_default(settings->manifest_file))
        today = manifest_load(settings->manifest_file, &diags);
    if (diags.fatal == 0)
        exit_code = learn_from(&given, settings, today, &diags);
    else
        diags_print(&diags, stderr);
    manifest_free(today);
    settings_free(settings);
    diags_fini(&diags);
    free(given.from.items);
    return exit_code;
}
