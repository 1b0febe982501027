#include "proxy/login_pair.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/token/locked.h"
#include "proxy/watch.h"

enum { APPKEY, APPTOKEN, HALVES };

static const struct half_names {
    const char *what, *option, *variable, *must;
} names[HALVES] = {
    [APPKEY] = { "app key", "--appkey-file", "JANUS_APPKEY",
                 "the app key's token is given and the app key is not: name a file that holds it, "
                 "or set JANUS_APPKEY" },
    [APPTOKEN] = { "app key's token", "--apptoken-file", "JANUS_APPTOKEN",
                   "the app key is given and its token is not: name a file that holds it, or set "
                   "JANUS_APPTOKEN" },
};

/* As the settings give it, borrowed. */
struct given {
    const char *file, *value; /* NULL: not given */
};

struct half {
    char *file;  /* NULL: the environment's value */
    char *value; /* locked */
    size_t value_len;
};

struct login_pair {
    struct half halves[HALVES];
};

static void given_by(const struct settings *settings, struct given given[HALVES])
{
    given[APPKEY] = (struct given){ settings->appkey_file, settings->appkey };
    given[APPTOKEN] = (struct given){ settings->apptoken_file, settings->apptoken };
}

/* ---- one value ---- */

/* Visible ASCII: what VTEX makes, and it can stand in any JSON. */
static const char *problem_of(struct text value)
{
    if (value.len == 0)
        return "it is empty";
    if (!text_is_visible(value))
        return "it holds a byte that cannot be part of it (a blank or a line end inside, or "
               "something that is not ASCII)";
    return NULL;
}

static const char *too_long(size_t len)
{
    return len > LIMIT_SECRET_BYTES ? "it is longer than 1 KiB" : NULL;
}

/* NULL if `bytes`, which hold one byte more than allowed, hold the value now. */
static const char *read_file(const char *path, char *bytes, struct text *value)
{
    const char *why;
    int fd = watch_open(path, &why);

    if (fd < 0)
        return why;
    ssize_t n = watch_read(fd, bytes, LIMIT_SECRET_BYTES + 1);
    close(fd);
    if (n < 0)
        return "it cannot be read";
    *value = text_trim_lines((struct text){ bytes, (size_t)n });
    why = too_long((size_t)n);
    return why ? why : problem_of(*value);
}

static const char *read_value(struct text given, char *bytes, struct text *value)
{
    const char *why = too_long(given.len);

    if (why)
        return why;
    memcpy(bytes, given.at, given.len);
    *value = text_trim_lines((struct text){ bytes, given.len });
    return problem_of(*value);
}

/* ---- the pair ---- */

struct login_pair *login_pair_new(const struct settings *settings)
{
    struct login_pair *pair = mem_alloc(1, sizeof(*pair));
    struct given given[HALVES];

    given_by(settings, given);
    for (int i = 0; i < HALVES; i++) {
        struct half *half = &pair->halves[i];
        if (given[i].file) {
            half->file = text_dup(text_of(given[i].file));
        } else if (given[i].value) {
            half->value_len = strlen(given[i].value);
            half->value = locked_alloc(half->value_len);
            memcpy(half->value, given[i].value, half->value_len);
        }
    }
    return pair;
}

void login_pair_free(struct login_pair *pair)
{
    if (!pair)
        return;
    for (int i = 0; i < HALVES; i++) {
        free(pair->halves[i].file);
        locked_free(pair->halves[i].value, pair->halves[i].value_len);
    }
    free(pair);
}

static const char *read_half(const struct half *half, char *bytes, struct text *value)
{
    if (half->file)
        return read_file(half->file, bytes, value);
    if (half->value)
        return read_value((struct text){ half->value, half->value_len }, bytes, value);
    return "it is not given";
}

enum login_pair_result login_pair_read(const struct login_pair *pair, struct login_secrets **out,
                                       char why[LOGIN_WHY_MAX])
{
    struct login_secrets *secrets = locked_alloc(sizeof(*secrets));
    struct text *values[HALVES] = { &secrets->appkey, &secrets->apptoken };

    *out = NULL;
    for (int i = 0; i < HALVES; i++) {
        const struct half *half = &pair->halves[i];
        const char *problem = read_half(half, secrets->bytes[i], values[i]);
        if (problem) {
            snprintf(why, LOGIN_WHY_MAX, "the %s in %s: %s", names[i].what,
                     half->file ? half->file : names[i].variable, problem);
            login_secrets_free(secrets);
            return problem == WATCH_BEING_WRITTEN ? LOGIN_PAIR_BUSY : LOGIN_PAIR_BAD;
        }
    }
    *out = secrets;
    return LOGIN_PAIR_OK;
}

void login_secrets_free(struct login_secrets *secrets)
{
    locked_free(secrets, sizeof(*secrets));
}

/* ---- findings ---- */

static void check_file(const char *path, struct place place, char *bytes, struct diags *diags)
{
    struct text value;
    const char *problem = read_file(path, bytes, &value);

    if (problem && access(path, F_OK) != 0 && errno == ENOENT)
        diag_warning(diags, place, "%s: there is no such file yet; every login looks again", path);
    else if (problem == WATCH_BEING_WRITTEN)
        diag_warning(diags, place, "%s: %s; every login looks again", path, problem);
    else if (problem)
        diag_fatal(diags, place, "%s: %s", path, problem);
}

static void check_half(const struct given *given, const struct half_names *name,
                       struct diags *diags)
{
    struct place option = { .file = name->option }, variable = { .file = name->variable };
    char *bytes = locked_alloc(LIMIT_SECRET_BYTES + 1);
    struct text value;

    if (given->file && given->value)
        diag_warning(diags, variable, "is not used, because %s is given too, and a file wins",
                     name->option);
    if (given->file) {
        check_file(given->file, option, bytes, diags);
    } else {
        const char *problem = read_value(text_of(given->value), bytes, &value);
        if (problem)
            diag_fatal(diags, variable, "%s", problem);
    }
    locked_free(bytes, LIMIT_SECRET_BYTES + 1);
}

void login_pair_check(const struct settings *settings, struct diags *diags)
{
    struct given given[HALVES];
    bool any = false;

    given_by(settings, given);
    for (int i = 0; i < HALVES; i++)
        any = any || given[i].file || given[i].value;
    for (int i = 0; i < HALVES && any; i++) {
        if (given[i].file || given[i].value)
            check_half(&given[i], &names[i], diags);
        else
            diag_fatal(diags, (struct place){ .file = names[i].option }, "%s", names[i].must);
    }
}
