#include "config/template.h"

#include <stdlib.h>

#include "config/memory.h"

static struct text value_of(struct text name, const struct template_values *values)
{
    const struct {
        struct text name, value;
    } known[] = {
        { TEXT("account"), values->account },      { TEXT("workspace"), values->workspace },
        { TEXT("region"), values->region },        { TEXT("appId"), values->app_id },
        { TEXT("partialId"), values->partial_id },
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (text_eq(name, known[i].name))
            return known[i].value;
    return TEXT_NONE;
}

/* The first byte that needs a decision: a brace, a '$' that opens ${, or a NUL. */
static const char *next_mark(const char *at, const char *end)
{
    for (; at < end; at++)
        if (*at == '{' || *at == '}' || *at == '\0' || (*at == '$' && end - at > 1 && at[1] == '{'))
            return at;
    return end;
}

/* What to show of a brace that begins no template: "${x}" or "{x}" whole, else the byte itself. */
static struct text broken_span(const char *at, const char *end)
{
    const char *close = *at == '$' || *at == '{' ? memchr(at, '}', (size_t)(end - at)) : NULL;

    return text_span(at, close ? close + 1 : at + 1);
}

/* Reads "{{ name }}" at `at`. False when what stands there is not one; `*whole` is then the span to
 * blame. */
static bool read_template(const char *at, const char *end, struct text *whole, struct text *name)
{
    const char *stop;

    *whole = broken_span(at, end);
    if (end - at < 2 || at[0] != '{' || at[1] != '{')
        return false;
    for (stop = at + 2; stop < end && *stop != '{' && *stop != '}'; stop++)
        continue;
    if (end - stop < 2 || stop[0] != '}' || stop[1] != '}')
        return false;
    *whole = text_span(at, stop + 2);
    *name = text_trim(text_span(at + 2, stop));
    return name->len > 0;
}

struct filled {
    char *bytes; /* TEMPLATE_MAX + 1 at most */
    size_t len;
};

static bool append(struct filled *filled, struct text more)
{
    if (more.len > TEMPLATE_MAX - filled->len)
        return false;
    filled->bytes = mem_resize(filled->bytes, filled->len + more.len + 1, 1);
    if (more.len > 0)
        memcpy(filled->bytes + filled->len, more.at, more.len);
    filled->len += more.len;
    filled->bytes[filled->len] = '\0';
    return true;
}

static enum template_result fill(struct text source, const struct template_values *values,
                                 struct filled *filled, struct text *culprit)
{
    const char *at = source.at, *end = source.at + source.len;
    struct text whole, name, value;

    for (;;) {
        const char *mark = next_mark(at, end);

        *culprit = source;
        if (!append(filled, text_span(at, mark)))
            return TEMPLATE_BROKEN;
        if (mark == end)
            return TEMPLATE_OK;
        if (!read_template(mark, end, culprit, &name))
            return TEMPLATE_BROKEN;
        whole = *culprit;
        value = value_of(name, values);
        if (!value.at)
            return TEMPLATE_UNKNOWN;
        if (!append(filled, value))
            return TEMPLATE_BROKEN;
        at = whole.at + whole.len;
    }
}

enum template_result template_fill(struct text source, const struct template_values *values,
                                   char **out, struct text *culprit)
{
    struct filled filled = { 0 };
    enum template_result result;

    if (!source.at)
        source = TEXT("");
    result = fill(source, values, &filled, culprit);
    if (result != TEMPLATE_OK) {
        free(filled.bytes);
        filled.bytes = NULL;
    }
    *out = filled.bytes;
    return result;
}
