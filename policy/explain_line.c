/* An explanation on one line, for the help of a 403. What came from outside is printed in a
 * printable form, and never the query. */
#include <stdarg.h>
#include <stdio.h>

#include "policy/explain.h"

enum { SHOWN_BYTES = 120 };

struct line {
    char *at;
    size_t size, used;
};

static void add(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct line *line, const char *format, ...)
{
    size_t room = line->size - line->used;
    va_list arguments;
    int len;

    va_start(arguments, format);
    len = vsnprintf(line->at + line->used, room, format, arguments);
    va_end(arguments);
    if (len > 0)
        line->used += (size_t)len < room ? (size_t)len : room - 1;
}

static void add_rule(struct line *line, const struct explained_rule *rule)
{
    char file[SHOWN_BYTES], name[SHOWN_BYTES], host[SHOWN_BYTES], path[SHOWN_BYTES];

    text_printable(text_of(rule->place.file), file, sizeof file);
    text_printable(rule->name, name, sizeof name);
    text_printable(rule->host, host, sizeof host);
    text_printable(rule->path, path, sizeof path);
    add(line, ". Nearest rule: %s:%u:%u (%s, host %s%s%s)", file, rule->place.line,
        rule->place.column, name, host, rule->path.at ? ", path " : "", path);
}

static void add_snippet(struct line *line, const char *snippet)
{
    static const char lead[] = ". To open it, add to \"policies\" in manifest.json: ";

    if (line->size - line->used > sizeof lead + strlen(snippet))
        add(line, "%s%s", lead, snippet);
    else
        add(line, ". What to add to \"policies\" is too long to stand here; janus-sidecar explain "
                  "prints it");
}

size_t explain_line(const struct policy *policy, const struct explanation *explanation,
                    const struct destination *destination, char *out, size_t size)
{
    struct line line = { out, size, 0 };

    if (size == 0)
        return 0;
    line.used = verdict_sentence(policy, &explanation->verdict, destination, out, size);
    if (explanation->verdict.kind == VERDICT_ALLOW)
        return line.used;
    if (!explanation->decided && explanation->rule.place.line > 0)
        add_rule(&line, &explanation->rule);
    add(&line, ". What failed: %s", explain_field_name(explanation->failing));
    if (explanation->snippet)
        add_snippet(&line, explanation->snippet);
    else if (explanation->no_snippet)
        add(&line, "; %s", explanation->no_snippet);
    return line.used;
}
