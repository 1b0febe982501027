#include "tests/flow/kit_bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *bytes_room(struct bytes *bytes, size_t n)
{
    if (bytes->n + n + 1 > bytes->size) {
        bytes->size = (bytes->n + n + 1) * 2;
        bytes->at = realloc(bytes->at, bytes->size);
        if (!bytes->at)
            abort();
    }
    return bytes->at + bytes->n;
}

void bytes_add(struct bytes *bytes, const void *from, size_t n)
{
    memcpy(bytes_room(bytes, n), from, n);
    bytes->n += n;
    bytes->at[bytes->n] = '\0';
}

void bytes_print(struct bytes *bytes, const char *format, ...)
{
    va_list arguments;
    char *text;
    int n;

    va_start(arguments, format);
    n = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (n < 0)
        abort();
    bytes_add(bytes, text, (size_t)n);
    free(text);
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->at);
    *bytes = (struct bytes){ 0 };
}

char *text_copy(const char *from, size_t n)
{
    char *copy = malloc(n + 1);

    if (!copy)
        abort();
    memcpy(copy, from, n);
    copy[n] = '\0';
    return copy;
}

/* The line behind this one, or NULL. */
static const char *next_line(const char *line)
{
    const char *end = strstr(line, "\r\n");

    return end && end[2] ? end + 2 : NULL;
}

static const char *value_in(const char *line, const char *name)
{
    size_t n = strlen(name);

    return strncasecmp(line, name, n) == 0 && line[n] == ':' ? line + n + 1 : NULL;
}

char *head_field(const char *head, const char *name)
{
    for (const char *line = next_line(head); line; line = next_line(line)) {
        const char *value = value_in(line, name);
        if (!value)
            continue;
        value += strspn(value, " \t");
        return text_copy(value, strcspn(value, "\r\n"));
    }
    return NULL;
}

size_t head_count(const char *head, const char *name)
{
    size_t n = 0;

    for (const char *line = next_line(head); line; line = next_line(line))
        n += value_in(line, name) != NULL;
    return n;
}
