#include "proxy/token/source_command.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/limits.h"
#include "proxy/loop.h"
#include "proxy/token/mask.h"
#include "proxy/token/program.h"

enum {
    LABEL_MAX = 300,
    NAME_SHOWN = 200, /* of a program, in a sentence */
    SENTENCE_MAX = LIMIT_TOKEN_ERROR_BYTES + 512,
};

/* PATH and HOME to work at all, names and places for its own files, the language of its messages. */
const char *const source_command_kept[] = { "PATH", "HOME",   "USER",   "LOGNAME",         "LANG",
                                            "TZ",   "LC_ALL", "TMPDIR", "XDG_CONFIG_HOME", NULL };

enum { KEPT = sizeof(source_command_kept) / sizeof(source_command_kept[0]) - 1, TOLD = 2 };

struct source_command {
    struct token_source source;
    struct loop *loop;
    char **argv;
    char *account, *workspace;
    unsigned timeout_ms;
    bool without_pidfd;
    struct helper *helper;
    struct program *program; /* the last one, until the next question */
    int error;               /* why none runs: an errno */
    struct job job;          /* answers when none runs */
    char label[LABEL_MAX];
};

/* ---- is there such a program ---- */

enum found { FOUND, NOT_THERE, NOT_A_PROGRAM };

static enum found look_at(const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return errno == EACCES ? NOT_A_PROGRAM : NOT_THERE;
    if (!S_ISREG(status.st_mode) || faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0)
        return NOT_A_PROGRAM;
    return FOUND;
}

/* As posix_spawnp() looks for it. */
static enum found look_on_path(const char *name)
{
    const char *rest = getenv("PATH");
    enum found found = NOT_THERE;
    char path[PATH_MAX];

    for (rest = rest ? rest : "/bin:/usr/bin"; rest && found != FOUND;) {
        size_t len = strcspn(rest, ":");
        int n = snprintf(path, sizeof(path), "%.*s%s%s", (int)len, rest, len ? "/" : "", name);
        enum found here = n < (int)sizeof(path) ? look_at(path) : NOT_THERE;
        found = here == NOT_THERE ? found : here;
        rest = rest[len] ? rest + len + 1 : NULL;
    }
    return found;
}

static enum found look_for(const char *name)
{
    return strchr(name, '/') ? look_at(name) : look_on_path(name);
}

/* Why it does not run. */
static void explain_start(const char *name, int error, char *out, size_t size)
{
    static const char not_a_program[] = "cannot be executed: is it a file with its x bit set?";
    enum found found = look_for(name);
    char shown[NAME_SHOWN];

    text_printable(text_of(name), shown, sizeof(shown));
    if (found == NOT_THERE && name[0] == '~')
        snprintf(out, size,
                 "there is no program %s: no shell runs here that knows ~, write the whole path",
                 shown);
    else if (found == NOT_THERE)
        snprintf(out, size, "there is no program %s%s; install it, or give its whole path", shown,
                 strchr(name, '/') ? "" : " on the PATH of the sidecar");
    else if (found == NOT_A_PROGRAM)
        snprintf(out, size, "%s %s", shown, not_a_program);
    else if (error == ENOENT)
        snprintf(out, size, "%s names in its first line (#!) a program that is not there", shown);
    else if (error == ENOEXEC)
        snprintf(out, size, "%s is no program for this machine; a script begins with #!", shown);
    else
        snprintf(out, size, "%s cannot be started: %s", shown, strerror(error));
}

void source_command_check(const struct strings *words, struct diags *diags)
{
    struct place place = { .file = "--token-command" };
    char why[SENTENCE_MAX];

    if (words->n == 0 || !words->items[0][0]) {
        diag_fatal(diags, place, "it names no program");
    } else if (look_for(words->items[0]) != FOUND) {
        explain_start(words->items[0], 0, why, sizeof(why));
        diag_fatal(diags, place, "%s", why);
    }
}

/* ---- what it printed ---- */

/* Of ESC [ ... letter: what stands behind it. */
static size_t behind_colour(const char *bytes, size_t at, size_t len)
{
    for (at += 2; at < len && (bytes[at] < '@' || bytes[at] > '~');)
        at++;
    return at < len ? at + 1 : len;
}

/* Without colours; other control bytes become blanks, letters beyond ASCII a question mark. Line
 * ends stay, the mask needs them. */
static size_t drop_controls(char *bytes, size_t len)
{
    size_t to = 0, from = 0;

    while (from < len) {
        unsigned char c = (unsigned char)bytes[from];
        if (c == 0x1b && from + 1 < len && bytes[from + 1] == '[') {
            from = behind_colour(bytes, from, len);
            continue;
        }
        from++;
        if (c < 0x80 || c >= 0xc0)
            bytes[to++] = (char)(c >= 0xc0 ? '?' : c == '\n' || (c >= ' ' && c != 0x7f) ? c : ' ');
    }
    return to;
}

/* In one line, each gap one blank. */
static size_t join_lines(char *bytes, size_t len)
{
    size_t to = 0;

    for (size_t i = 0; i < len; i++) {
        bool gap = bytes[i] == ' ' || bytes[i] == '\n';
        if (!gap)
            bytes[to++] = bytes[i];
        else if (to > 0 && bytes[to - 1] != ' ')
            bytes[to++] = ' ';
    }
    return to > 0 && bytes[to - 1] == ' ' ? to - 1 : to;
}

/* Standard error as it may be logged. A last word that was cut is dropped: half a secret may not
 * look like one any more. */
static struct text presentable(const struct program_end *end, char out[LIMIT_TOKEN_ERROR_BYTES])
{
    size_t len = end->err.len;

    memcpy(out, end->err.at, len);
    while (end->err_is_cut && len > 0 && !strchr(" \t\r\n", out[len - 1]))
        len--;
    len = drop_controls(out, len);
    len = mask_secrets(out, len);
    return (struct text){ out, join_lines(out, len) };
}

/* `why`: "it exited with 3". */
static void complain(const char *why, const struct program_end *end, char *out, size_t size)
{
    char bytes[LIMIT_TOKEN_ERROR_BYTES];
    struct text said = presentable(end, bytes);

    snprintf(out, size, "%s%s" TEXT_FMT "%s", why, said.len ? ": " : " and said nothing",
             TEXT_ARG(said), end->err_is_cut ? " ..." : "");
    OPENSSL_cleanse(bytes, sizeof(bytes));
}

/* What scripts print in place of a token that they did not get. */
static bool is_no_value(struct text out)
{
    while (out.len && strchr(" \t\r\n", out.at[out.len - 1]))
        out.len--;
    return text_eq(out, TEXT("null")) || text_eq(out, TEXT("undefined")) ||
           text_eq(out, TEXT("None"));
}

static struct token *read_output(const struct program_end *end, char *out, size_t size)
{
    const char *why = "it is the word for a value that is missing";
    char sentence[256];
    struct token *token = is_no_value(end->out) ? NULL : token_read(end->out, &why);

    if (!token) {
        snprintf(sentence, sizeof(sentence), "it printed no token (%s)", why);
        complain(sentence, end, out, size);
    }
    return token;
}

static void explain_end(const struct source_command *command, const struct program_end *end,
                        char *out, size_t size)
{
    const char *signal_name;
    char why[128];

    switch (end->how) {
    case PROGRAM_EXITED:
        snprintf(why, sizeof(why), "it exited with %d", end->number);
        break;
    case PROGRAM_SIGNALLED:
        signal_name = sigabbrev_np(end->number);
        snprintf(why, sizeof(why), "it was killed by signal %d (%s)", end->number,
                 signal_name ? signal_name : "?");
        break;
    case PROGRAM_TIMED_OUT:
        snprintf(why, sizeof(why), "it had not ended after %u ms (--token-timeout) and was killed",
                 command->timeout_ms);
        break;
    case PROGRAM_FLOODED:
        snprintf(why, sizeof(why), "it printed more than the %d bytes that a token may have",
                 LIMIT_TOKEN_OUTPUT_BYTES);
        break;
    case PROGRAM_STUCK:
        snprintf(why, sizeof(why), "it had not ended after %u ms and cannot be killed",
                 command->timeout_ms);
        break;
    case PROGRAM_LOST:
        snprintf(why, sizeof(why), "how it ended is not known: somebody else took its status");
        break;
    }
    complain(why, end, out, size);
}

/* The answer comes last: it may ask again, or free the source. */
static void on_ended(void *context, const struct program_end *end)
{
    struct source_command *command = context;
    char why[SENTENCE_MAX];
    struct token *token = NULL;

    if (end->how == PROGRAM_EXITED && end->number == 0)
        token = read_output(end, why, sizeof(why));
    else
        explain_end(command, end, why, sizeof(why));
    if (token)
        token_source_arrived(&command->source, token);
    else
        token_source_failed(&command->source, why, false);
}

/* ---- the question ---- */

static char *variable(const char *name, const char *value)
{
    size_t size = strlen(name) + strlen(value) + 2;
    char *made = mem_alloc(size, 1);

    snprintf(made, size, "%s=%s", name, value);
    return made;
}

char **source_command_environment(const char *account, const char *workspace)
{
    const char *const names[TOLD] = { "JANUS_ACCOUNT", "JANUS_WORKSPACE" };
    const char *const values[TOLD] = { account, workspace };
    char **environment = mem_alloc(KEPT + TOLD + 1, sizeof(*environment));
    size_t n = 0;

    for (size_t i = 0; i < KEPT; i++) {
        const char *value = getenv(source_command_kept[i]);
        if (value)
            environment[n++] = variable(source_command_kept[i], value);
    }
    for (size_t i = 0; i < TOLD; i++) {
        if (values[i])
            environment[n++] = variable(names[i], values[i]);
    }
    return environment;
}

static void run(struct source_command *command)
{
    char **environment = source_command_environment(command->account, command->workspace);
    struct program_rules rules = {
        .argv = command->argv,
        .environment = environment,
        .timeout_ms = command->timeout_ms,
        .max_out = LIMIT_TOKEN_OUTPUT_BYTES,
        .max_err = LIMIT_TOKEN_ERROR_BYTES,
        .without_pidfd = command->without_pidfd,
        .helper = command->helper,
    };

    command->program = program_run(command->loop, &rules, on_ended, command, &command->error);
    for (size_t i = 0; environment[i]; i++)
        free(environment[i]);
    free(environment);
}

static void answer(struct job *job)
{
    struct source_command *command = CONTAINER_OF(job, struct source_command, job);
    char why[SENTENCE_MAX] = "the program of the last time is still there and cannot be killed";

    if (!command->program)
        explain_start(command->argv[0], command->error, why, sizeof(why));
    token_source_failed(&command->source, why, false);
}

static void fetch(struct token_source *source)
{
    struct source_command *command = (struct source_command *)(void *)source;
    bool stuck = command->program && !program_is_gone(command->program);

    if (!stuck) {
        program_free(command->program);
        run(command);
    }
    if (stuck || !command->program)
        loop_defer(command->loop, &command->job);
}

static void free_command(struct token_source *source)
{
    struct source_command *command = (struct source_command *)(void *)source;

    loop_cancel(command->loop, &command->job);
    program_free(command->program);
    for (size_t i = 0; command->argv[i]; i++)
        free(command->argv[i]);
    free(command->argv);
    free(command->account);
    free(command->workspace);
    free(command);
}

struct token_source *source_command_new(struct loop *loop, const struct strings *words,
                                        const struct source_command_rules *rules)
{
    static const struct token_source_kind kind = { "command", NULL, fetch, free_command };
    struct source_command *command = mem_alloc(1, sizeof(*command));
    char shown[NAME_SHOWN];

    assert(words->n > 0);
    command->source.kind = &kind;
    command->source.label = command->label;
    command->loop = loop;
    command->argv = mem_alloc(words->n + 1, sizeof(*command->argv));
    for (size_t i = 0; i < words->n; i++)
        command->argv[i] = text_dup(text_of(words->items[i]));
    command->account = rules->account ? text_dup(text_of(rules->account)) : NULL;
    command->workspace = rules->workspace ? text_dup(text_of(rules->workspace)) : NULL;
    command->timeout_ms = rules->timeout_ms;
    command->without_pidfd = rules->without_pidfd;
    command->helper = rules->helper;
    command->job.run = answer;
    text_printable(text_of(words->items[0]), shown, sizeof(shown));
    snprintf(command->label, sizeof(command->label), "token command %s", shown);
    return &command->source;
}
