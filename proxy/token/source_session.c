#include "proxy/token/source_session.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/limits.h"
#include "proxy/loop.h"
#include "proxy/token/jwt.h"
#include "proxy/token/locked.h"
#include "proxy/watch.h"

enum { LABEL_MAX = 300, WHY_MAX = 400, NAME_SHOWN = 64 };

/* Where the session stands, and whose it should be. */
struct session {
    char *account;
    char *tokens, *current; /* paths of tokens.json and session.json */
};

/* What a look at a file found. Of two, the higher one says more about what to do. */
enum seen { ABSENT, NOBODY, SOMEBODY_ELSE, EXPIRED, UNUSABLE, BEING_WRITTEN, LIVE };

struct view {
    enum seen seen;
    struct token *token;      /* when LIVE */
    char account[NAME_SHOWN]; /* when SOMEBODY_ELSE: printable */
    char why[WHY_MAX];        /* when UNUSABLE */
};

static char *joined(const char *a, const char *b, const char *c)
{
    size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
    char *path = mem_alloc(size, 1);

    snprintf(path, size, "%s%s%s", a, b, c);
    return path;
}

static void session_init(struct session *session, const char *dir, const char *account)
{
    const char *home = getenv("HOME");
    char *folder =
        home && strncmp(dir, "~/", 2) == 0 ? joined(home, "/", dir + 2) : joined(dir, "", "");

    session->account = text_dup(text_of(account));
    session->tokens = joined(folder, "/", "tokens.json");
    session->current = joined(folder, "/", "session.json");
    free(folder);
}

static void session_fini(struct session *session)
{
    free(session->account);
    free(session->tokens);
    free(session->current);
}

/* ---- one file ---- */

static void cannot_use(struct view *view, const char *path, const char *why)
{
    view->seen = UNUSABLE;
    snprintf(view->why, sizeof(view->why), "%s: %s", strrchr(path, '/') + 1, why);
}

/* All of it into `bytes`. */
static size_t read_all(int fd, char *bytes, size_t size)
{
    size_t len = 0;
    ssize_t n;

    while (len < size && (n = read(fd, bytes + len, size - len)) > 0)
        len += (size_t)n;
    return len;
}

/* A JSON object, or NULL with the reason in `view`. Its bytes are read into locked memory, and what
 * jansson copies is wiped once locked_harden_process() has run: only the token that is taken stays. */
static json_t *parse(int fd, const char *path, struct view *view)
{
    struct stat status;
    json_t *object = NULL;

    if (fstat(fd, &status) != 0 || status.st_size > LIMIT_SESSION_BYTES) {
        cannot_use(view, path, "it is larger than 64 KiB: is it the toolbelt's?");
        return NULL;
    }
    size_t size = (size_t)status.st_size;
    char *bytes = locked_alloc(size);
    size_t len = read_all(fd, bytes, size);
    object = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL);
    locked_free(bytes, size);
    if (json_is_object(object))
        return object;
    json_decref(object);
    cannot_use(view, path, "it is no JSON object; is it cut off?");
    return NULL;
}

static json_t *load(const char *path, struct view *view)
{
    const char *why;
    int fd = watch_open(path, &why);
    json_t *object = NULL;

    if (fd >= 0) {
        object = parse(fd, path, view);
        close(fd);
    } else if (why == WATCH_BEING_WRITTEN) {
        view->seen = BEING_WRITTEN;
    } else if (access(path, F_OK) != 0 && errno == ENOENT) {
        view->seen = ABSENT;
    } else {
        cannot_use(view, path, why);
    }
    return object;
}

static void take_token(struct view *view, const char *path, const json_t *value)
{
    const char *why;

    if (!json_is_string(value) || json_string_length(value) == 0) {
        view->seen = NOBODY;
        return;
    }
    view->token =
        token_new((struct text){ json_string_value(value), json_string_length(value) }, &why);
    if (!view->token) {
        cannot_use(view, path, why);
    } else if (token_is_live(view->token, clock_now())) {
        view->seen = LIVE;
    } else {
        view->seen = EXPIRED;
        token_unref(view->token);
        view->token = NULL;
    }
}

static struct view look_at_tokens(const struct session *session)
{
    struct view view = { .seen = NOBODY };
    json_t *object = load(session->tokens, &view);

    if (object)
        take_token(&view, session->tokens, json_object_get(object, session->account));
    json_decref(object);
    return view;
}

static bool is_ours(struct view *view, const struct session *session, const json_t *account)
{
    if (!json_is_string(account) || json_string_length(account) == 0)
        return false;
    if (strcmp(json_string_value(account), session->account) == 0)
        return true;
    view->seen = SOMEBODY_ELSE;
    text_printable(text_of(json_string_value(account)), view->account, sizeof(view->account));
    return false;
}

/* The toolbelt writes a new account into session.json a moment before its token (saveState() in its
 * SessionManager), so for that moment the last account's token stands there under the new name. */
static void refuse_stale(struct view *view, const struct session *session)
{
    if (!jwt_is_for_another(token_text(view->token), session->account, NULL, view->account,
                            sizeof(view->account)))
        return;
    view->seen = SOMEBODY_ELSE;
    token_unref(view->token);
    view->token = NULL;
}

static struct view look_at_current(const struct session *session)
{
    struct view view = { .seen = NOBODY };
    json_t *object = load(session->current, &view);

    if (is_ours(&view, session, json_object_get(object, "account")))
        take_token(&view, session->current, json_object_get(object, "token"));
    if (view.token)
        refuse_stale(&view, session);
    json_decref(object);
    return view;
}

/* ---- both ---- */

static struct view look_at_both(const struct session *session)
{
    struct view first = look_at_tokens(session);

    if (first.seen == LIVE)
        return first;
    struct view second = look_at_current(session);
    return second.seen > first.seen ? second : first;
}

/* A sentence, and what to do. */
static void explain(const struct session *session, const struct view *view, char *out, size_t size)
{
    const char *account = session->account;

    switch (view->seen) {
    case ABSENT:
        snprintf(out, size, "there is no session yet; run: vtex login %s", account);
        break;
    case NOBODY:
        snprintf(out, size, "nobody is logged in to %s; run: vtex login %s", account, account);
        break;
    case SOMEBODY_ELSE:
        snprintf(out, size, "the session is one of the account %s, not of %s; run: vtex login %s",
                 view->account, account, account);
        break;
    case EXPIRED:
        snprintf(out, size, "the session of %s has expired; run: vtex login %s", account, account);
        break;
    case UNUSABLE:
        snprintf(out, size, "%s", view->why);
        break;
    case BEING_WRITTEN:
    case LIVE:
        snprintf(out, size, "%s", WATCH_BEING_WRITTEN);
        break;
    }
}

void source_session_check(const char *dir, const char *account, struct diags *diags)
{
    struct place place = { .file = "--token-session" };
    struct session session;
    char why[WHY_MAX];

    session_init(&session, dir, account);
    struct view view = look_at_both(&session);
    explain(&session, &view, why, sizeof(why));
    if (view.seen == UNUSABLE)
        diag_fatal(diags, place, "%s: %s", dir, why);
    else if (view.seen != LIVE)
        diag_warning(diags, place, "%s: %s; it is watched", dir, why);
    token_unref(view.token);
    session_fini(&session);
}

/* ---- the source ---- */

struct source_session {
    struct token_source source;
    struct loop *loop;
    struct session session;
    struct watched {
        struct source_session *self;
        struct watch *watch;
        bool was_absent;
    } tokens, current;
    struct job job; /* answers */
    char label[LABEL_MAX];
};

/* Both files change together as a rule: one answer for both, at the end of this turn. */
static void answer(struct job *job)
{
    struct source_session *self = CONTAINER_OF(job, struct source_session, job);
    struct view view = look_at_both(&self->session);
    char why[WHY_MAX];

    if (view.seen == LIVE) {
        token_source_arrived(&self->source, view.token);
        return;
    }
    explain(&self->session, &view, why, sizeof(why));
    token_source_failed(&self->source, why, view.seen == BEING_WRITTEN);
}

/* A file that is not there is looked for again and again; that it still is not there is no news.
 * False: look again, although nothing may seem to change any more. */
static bool note(struct watched *file, struct view view)
{
    bool is_absent = view.seen == ABSENT;

    token_unref(view.token);
    if (!is_absent || !file->was_absent)
        loop_defer(file->self->loop, &file->self->job);
    file->was_absent = is_absent;
    return view.seen != BEING_WRITTEN && view.seen != UNUSABLE;
}

static bool on_tokens(void *context)
{
    struct watched *file = context;

    return note(file, look_at_tokens(&file->self->session));
}

static bool on_current(void *context)
{
    struct watched *file = context;

    return note(file, look_at_current(&file->self->session));
}

static void start(struct token_source *source)
{
    struct source_session *self = (struct source_session *)(void *)source;

    self->tokens.watch = watch_new(self->loop, self->session.tokens, on_tokens, &self->tokens);
    self->current.watch = watch_new(self->loop, self->session.current, on_current, &self->current);
}

static void fetch(struct token_source *source)
{
    struct source_session *self = (struct source_session *)(void *)source;

    loop_defer(self->loop, &self->job);
}

static void free_session(struct token_source *source)
{
    struct source_session *self = (struct source_session *)(void *)source;

    loop_cancel(self->loop, &self->job);
    watch_free(self->tokens.watch);
    watch_free(self->current.watch);
    session_fini(&self->session);
    free(self);
}

struct token_source *source_session_new(struct loop *loop, const char *dir, const char *account)
{
    static const struct token_source_kind kind = { "session", start, fetch, free_session };
    struct source_session *self = mem_alloc(1, sizeof(*self));

    self->source.kind = &kind;
    self->source.label = self->label;
    self->loop = loop;
    self->tokens.self = self->current.self = self;
    self->job.run = answer;
    session_init(&self->session, dir, account);
    snprintf(self->label, sizeof(self->label), "toolbelt session %s", dir);
    return &self->source;
}
