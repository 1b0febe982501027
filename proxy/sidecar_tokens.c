#include "proxy/sidecar_tokens.h"

#include "proxy/login.h"
#include "proxy/token/source_command.h"
#include "proxy/token/source_file.h"
#include "proxy/token/source_session.h"

/* What a source needs to come into being. */
struct surroundings {
    const struct settings *settings;
    struct loop *loop;
    struct pool *pool;
    struct helper *helper;
};

static bool has_file(const struct settings *settings)
{
    return settings->token_file;
}

static struct token_source *new_file(const struct surroundings *around)
{
    return source_file_new(around->loop, around->settings->token_file);
}

static void check_file(const struct settings *settings, struct diags *diags)
{
    source_file_check(settings->token_file, diags);
}

static bool has_command(const struct settings *settings)
{
    return settings->token_command.n;
}

static struct token_source *new_command(const struct surroundings *around)
{
    const struct settings *settings = around->settings;
    struct source_command_rules rules = { .timeout_ms = settings->token_timeout_ms,
                                          .account = settings->account,
                                          .workspace = settings->workspace,
                                          .helper = around->helper };

    return source_command_new(around->loop, &settings->token_command, &rules);
}

static void check_command(const struct settings *settings, struct diags *diags)
{
    source_command_check(&settings->token_command, diags);
}

static bool has_session(const struct settings *settings)
{
    return settings->token_session;
}

static struct token_source *new_session(const struct surroundings *around)
{
    return source_session_new(around->loop, around->settings->token_session,
                              around->settings->account);
}

static void check_session(const struct settings *settings, struct diags *diags)
{
    source_session_check(settings->token_session, settings->account, diags);
}

static struct token_source *new_login(const struct surroundings *around)
{
    struct login_rules rules = { around->loop, around->pool, around->settings };

    return login_source_new(&rules);
}

/* The order in which they are preferred unless --token-sources says otherwise. */
static const struct source_row {
    const char *name;
    bool (*is_set_up)(const struct settings *settings);
    struct token_source *(*make)(const struct surroundings *around);
    void (*check)(const struct settings *settings, struct diags *diags);
    const char *missing; /* what sets it up */
} rows[] = {
    { "file", has_file, new_file, check_file, "--token-file" },
    { "command", has_command, new_command, check_command, "--token-command" },
    { "session", has_session, new_session, check_session, "--token-session" },
    { "login", login_is_wanted, new_login, login_check, "--appkey-file with --apptoken-file" },
};

enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };
_Static_assert((int)N_ROWS <= (int)TOKEN_SOURCES_MAX, "raise TOKEN_SOURCES_MAX");

static const struct source_row *row_of(const char *name)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    }
    return NULL;
}

/* Those that are set up, the preferred one first. Each stands there once. */
static size_t chosen(const struct settings *settings, const struct source_row *out[N_ROWS])
{
    const struct strings *names = &settings->token_sources;
    bool taken[N_ROWS] = { false };
    size_t n = 0;

    for (size_t i = 0; i < (names->n ? names->n : (size_t)N_ROWS); i++) {
        const struct source_row *row = names->n ? row_of(names->items[i]) : &rows[i];
        if (!row || taken[row - rows] || !row->is_set_up(settings))
            continue;
        taken[row - rows] = true;
        out[n++] = row;
    }
    return n;
}

struct token_keeper *sidecar_tokens_new(const struct settings *settings, struct loop *loop,
                                        struct log *log, struct pool *pool, struct helper *helper)
{
    struct surroundings around = { settings, loop, pool, helper };
    struct token_rules rules = { .lifetime_ms = settings->token_lifetime_ms,
                                 .skew_ms = settings->token_skew_ms,
                                 .overlap_ms = settings->token_overlap_ms,
                                 .backoff = { settings->token_retry_ms,
                                              settings->token_retry_max_ms },
                                 .account = settings->account,
                                 .workspace = settings->workspace,
                                 .now = clock_now };
    struct token_keeper *keeper = token_keeper_new(loop, log, &rules);
    const struct source_row *sources[N_ROWS];
    size_t n = chosen(settings, sources);

    for (size_t i = 0; i < n; i++)
        token_keeper_add(keeper, sources[i]->make(&around));
    return keeper;
}

/* ---- findings ---- */

static void check_names(const struct settings *settings, struct diags *diags)
{
    for (size_t i = 0; i < settings->token_sources.n; i++) {
        const struct source_row *row = row_of(settings->token_sources.items[i]);
        if (row && !row->is_set_up(settings))
            diag_fatal(diags, (struct place){ .file = "--token-sources" },
                       "\"%s\" is named, but not set up; %s does that", row->name, row->missing);
    }
}

void sidecar_tokens_check(const struct settings *settings, struct diags *diags)
{
    const struct source_row *sources[N_ROWS];
    size_t n = chosen(settings, sources);

    check_names(settings, diags);
    for (size_t i = 0; i < n; i++)
        sources[i]->check(settings, diags);
    if (n == 0)
        diag_warning(diags, (struct place){ .file = "--token-file" },
                     "no token source is set: requests that need the app token end with 503");
    if (settings->token_retry_max_ms < settings->token_retry_ms)
        diag_fatal(diags, (struct place){ .file = "--token-retry-max" },
                   "is shorter than --token-retry");
}
