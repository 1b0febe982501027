#include "config/settings.h"

#include <stdlib.h>

#include "config/memory.h"
#include "config/settings_given.h"
#include "config/settings_rows.h"
#include "config/settings_values.h"

static size_t row_of_field(size_t field)
{
    size_t i = 0;

    while (settings_rows[i].field != field)
        i++;
    return i;
}

/* The file is named by the levels above it, so its row is filled before the others. False when what
 * the file says stays unknown. */
static bool read_file(struct settings *settings, struct given *given, struct diags *diags)
{
    size_t i = row_of_field(offsetof(struct settings, config_file));

    settings_fill(settings, &settings_rows[i], &given[i], diags);
    return !settings->config_file || given_from_file(given, settings->config_file, diags);
}

static void fill_rows(struct settings *settings, struct given *given, struct diags *diags)
{
    for (size_t i = 0; i < settings_n_rows; i++)
        if (settings_rows[i].field != offsetof(struct settings, config_file))
            settings_fill(settings, &settings_rows[i], &given[i], diags);
}

/* The items, joined by commas. */
static char *joined(const struct given *given)
{
    size_t size = 1, used = 0;
    char *out;

    for (size_t i = 0; i < given->n; i++)
        size += strlen(given->items[i].text) + 1;
    out = mem_alloc(size, 1);
    for (size_t i = 0; i < given->n; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? "," : "",
                                 given->items[i].text);
    return out;
}

/* The effective values as texts, in the order of the rows. */
static void keep_shown(struct settings *settings, const struct given *given)
{
    settings->shown = mem_alloc(settings_n_rows, sizeof(*settings->shown));
    for (size_t i = 0; i < settings_n_rows; i++)
        settings->shown[i] = settings_rows[i].kind == KIND_SECRET
                                 ? text_dup(given[i].n ? TEXT("(set)") : TEXT(""))
                                 : joined(&given[i]);
}

static void check_account(const struct given *given, struct diags *diags)
{
    size_t i = row_of_field(offsetof(struct settings, account));

    if (given[i].level == LEVEL_NONE)
        diag_fatal(diags, (struct place){ .file = "--account" },
                   "the account is missing; give it as --account NAME, as JANUS_ACCOUNT in the "
                   "environment, or as \"account\" in the settings file");
}

static void refuse_open(const struct given *given, size_t item, struct diags *diags)
{
    diag_fatal(diags, given->items[item].place,
               "%s is not a loopback address: whoever reaches it acts as the app; "
               "--unsafe-listen allows it",
               given->items[item].text);
}

/* Addresses that did not parse are not in the list, so the text is judged again. */
static void check_loopback(const struct given *given, struct diags *diags)
{
    struct listen_address address;
    const char *why;

    for (size_t i = 0; i < given->n; i++)
        if (listen_address_parse(text_of(given->items[i].text), &address, &why) &&
            !address.loopback)
            refuse_open(given, i, diags);
}

/* A list of users closes nothing at a port: the kernel tells nobody's user there. */
static void check_users(const struct settings *settings, const struct given *given,
                        struct diags *diags)
{
    const struct given *listen = &given[row_of_field(offsetof(struct settings, listen))];

    if (!settings->allow_uid.n && !settings->allow_gid.n)
        return;
    for (size_t i = 0; i < settings->n_listen; i++) {
        if (settings->listen[i].kind == LISTEN_TCP && settings->n_listen == listen->n)
            diag_warning(
                diags, listen->items[i].place,
                "--allow-uid and --allow-gid are about Unix sockets; %s stays open to every "
                "user of this machine (--caller-secret-file)",
                listen->items[i].text);
    }
}

static void check_listen(const struct settings *settings, const struct given *given,
                         struct diags *diags)
{
    size_t listen = row_of_field(offsetof(struct settings, listen));
    size_t admin = row_of_field(offsetof(struct settings, admin));

    if (given[listen].level == LEVEL_FILE && given[listen].n == 0 && settings->n_listen == 0)
        diag_fatal(diags, (struct place){ .file = settings->config_file },
                   "\"listen\" must name at least one address");
    check_users(settings, given, diags);
    if (settings->unsafe_listen)
        return;
    check_loopback(&given[listen], diags);
    check_loopback(&given[admin], diags);
}

struct settings *settings_load(int argc, char **argv, struct strings *words, struct diags *diags)
{
    struct settings *settings = mem_alloc(1, sizeof(*settings));
    struct given given[SETTINGS_MAX_ROWS] = { 0 };
    bool known;

    given_from_flags(given, argc, argv, words, diags);
    given_from_environment(given, diags);
    known = read_file(settings, given, diags);
    given_from_defaults(given, diags);
    fill_rows(settings, given, diags);
    if (known)
        check_account(given, diags);
    check_listen(settings, given, diags);
    keep_shown(settings, given);
    for (size_t i = 0; i < settings_n_rows; i++)
        given_fini(&given[i]);
    return settings;
}

void settings_free(struct settings *settings)
{
    if (!settings)
        return;
    for (size_t i = 0; i < settings_n_rows; i++) {
        settings_empty(settings, &settings_rows[i]);
        if (settings->shown)
            free(settings->shown[i]);
    }
    free(settings->shown);
    free(settings);
}

void settings_each(const struct settings *settings,
                   void (*visit)(void *context, const char *name, const char *value), void *context)
{
    for (size_t i = 0; settings->shown && i < settings_n_rows; i++)
        visit(context, settings_key(&settings_rows[i]), settings->shown[i]);
}
