/* The rows, as a manual page. */
#include "config/settings.h"
#include "config/settings_rows.h"

static const char head[] =
    ".\\\" Made from the table of settings (config/settings_man.c); a test compares them.\n"
    ".TH JANUS-SIDECAR 1\n"
    ".SH NAME\n"
    "janus-sidecar \\- adds an app's rotating token to the requests that its manifest allows\n"
    ".SH SYNOPSIS\n"
    ".B janus-sidecar\n"
    ".I COMMAND\n"
    ".RI [ OPTIONS ]\n"
    ".SH DESCRIPTION\n"
    "A proxy that runs beside an app on VTEX IO. The app speaks plain HTTP to it on loopback; it\n"
    "checks every destination against the policies in the app's manifest.json, adds the app\n"
    "token, and forwards over verified TLS.\n"
    ".SH COMMANDS\n"
    ".B janus-sidecar \\-\\-help\n"
    "lists every command with its arguments.\n"
    ".TP\n.B run\nthe sidecar. It prints\n.B ready listen=ADDR admin=ADDR\n"
    "on standard error when it serves.\n"
    ".TP\n.B check\nthe verdict on a request, offline\n"
    ".TP\n.B explain\nthe long answer: what decided, what failed, the policy to add\n"
    ".TP\n.B learn\nthe smallest policies for what a log shows\n"
    ".TP\n.B validate\nevery finding in settings, manifest and token source\n"
    ".TP\n.B graphql check\nthe rules of @auth over a schema\n"
    ".TP\n.B token\nwhat is known of the app token, but not the token\n"
    ".TP\n.B exec\na sidecar on a port of its own and an app beside it; ends with the app's "
    "status\n"
    ".TP\n.B wait\nuntil the sidecar at\n.B \\-\\-admin\nis ready; 1 when it is not by then\n"
    ".TP\n.B version\nits version\n";

static const char options[] =
    ".SH OPTIONS\n"
    "Every option is also a variable in the environment and a key of the settings file (JSON; the\n"
    "option without its dashes). The option wins over the variable, the variable over the file,\n"
    "the file over the default. Times are written 300ms, 3s, 1m, 1h.\n";

static const char tail[] =
    ".SH SIGNALS\n"
    ".TP\n.BR SIGTERM \", \" SIGINT\n"
    "drain: what is under way ends, or is cut after\n.BR \\-\\-drain\\-timeout ;\n"
    "a second one ends it at once\n"
    ".TP\n.B SIGHUP\nreads the settings, manifest, provider policies, CA file and token sources "
    "again\n"
    ".SH EXIT STATUS\n"
    ".TP\n.B 0\nit went well; all requests are allowed\n"
    ".TP\n.B 1\nsome requests are not allowed; findings that are errors; a drain cut short by a "
    "second signal\n"
    ".TP\n.B 2\nwrong options or files: nothing was done\n"
    ".SH SEE ALSO\n"
    "The documents beside this page, in /usr/share/doc/janus\\-sidecar.\n";

/* What roff would read as its own is escaped; a line never begins with the text, so '.' is safe. */
static void put_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\e", out);
        else
            fprintf(out, *text == '-' ? "\\%c" : "%c", *text);
    }
}

static void put_bold(FILE *out, const char *text)
{
    fputs("\\fB", out);
    put_text(out, text);
    fputs("\\fR", out);
}

static void put_choices(FILE *out, const struct settings_row *row)
{
    for (size_t i = 0; row->choices && row->choices[i]; i++) {
        fputs(i > 0 ? ", " : settings_is_list(row) ? "; any of " : "; one of ", out);
        put_bold(out, row->choices[i]);
    }
}

/* "a, b, c": a line can be broken at the blanks. */
static void put_default(FILE *out, const char *list)
{
    fputs("; default \\fB", out);
    for (const char *end; (end = strchr(list, ',')); list = end + 1) {
        char item[256];

        snprintf(item, sizeof(item), "%.*s", (int)(end - list), list);
        put_text(out, item);
        fputs(", ", out);
    }
    put_text(out, list);
    fputs("\\fR", out);
}

static void put_row(FILE *out, const struct settings_row *row)
{
    fputs(".TP\n", out);
    put_bold(out, row->kind == KIND_SECRET ? row->variable : row->flag);
    if (row->value && row->kind != KIND_SECRET) {
        fputs(" \\fI", out);
        put_text(out, row->value);
        fputs("\\fR", out);
    }
    fputs("\n\\&", out);
    put_text(out, row->help);
    fputs(settings_is_list(row) ? "; repeatable" : "", out);
    put_choices(out, row);
    fputs(row->kind == KIND_SECRET ? "; from the environment only.\n" : ".\nVariable ", out);
    if (row->kind == KIND_SECRET)
        return;
    put_bold(out, row->variable);
    if (row->standard && !settings_is_flag(row))
        put_default(out, row->standard);
    fputs(".\n", out);
}

void settings_print_man(FILE *out)
{
    fputs(head, out);
    fputs(options, out);
    for (unsigned group = 0; group < N_SETTINGS_GROUPS; group++) {
        fprintf(out, ".SS %s\n", settings_groups[group]);
        for (size_t i = 0; i < settings_n_rows; i++)
            if (settings_rows[i].group == group)
                put_row(out, &settings_rows[i]);
    }
    fputs(tail, out);
}
