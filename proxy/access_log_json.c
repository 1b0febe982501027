/* A line of the log as a JSON object: flat, of texts and numbers. What other programs do to JSON on its way is
 * taken too: blanks between its parts, `\\/` and the short escapes, and UTF-8 for U+0080 to U+00FF, each of which
 * stands for one byte (proxy/log.c writes \\u00NN). */
#include "proxy/access_log_parts.h"

static void skip_blanks(char **at, const char *end)
{
    while (*at < end && (**at == ' ' || **at == '\t'))
        ++*at;
}

static bool take_byte(char **at, const char *end, char byte)
{
    skip_blanks(at, end);
    if (*at == end || **at != byte)
        return false;
    ++*at;
    return true;
}

/* Behind the backslash. */
static int take_escape(char **at, const char *end)
{
    static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    const char *in = *at;
    const char *known = end > in && *in ? strchr(letters, *in) : NULL;

    if (known) {
        *at += 1;
        return (unsigned char)bytes[known - letters];
    }
    if (end - in < 5 || in[0] != 'u' || in[1] != '0' || in[2] != '0' || ascii_hex(in[3]) < 0 ||
        ascii_hex(in[4]) < 0)
        return -1;
    *at += 5;
    return ascii_hex(in[3]) * 16 + ascii_hex(in[4]);
}

/* The next byte of a text that a quote ends; -1: it is none that we would have written. */
static int take_char(char **at, const char *end)
{
    unsigned char c = (unsigned char)*(*at)++;

    if (c == '\\')
        return take_escape(at, end);
    if (c >= 0x20 && c < 0x7f)
        return c;
    if ((c == 0xc2 || c == 0xc3) && *at < end && ((unsigned char)**at & 0xc0) == 0x80)
        return (c & 3) << 6 | ((unsigned char)*(*at)++ & 0x3f);
    return -1;
}

/* What comes out is never longer than what went in. */
static bool take_string(char **at, const char *end, struct text *out)
{
    char *to;
    const char *from;

    if (!take_byte(at, end, '"'))
        return false;
    from = to = *at;
    while (*at < end && **at != '"') {
        int c = take_char(at, end);
        if (c < 0)
            return false;
        *to++ = (char)c;
    }
    *out = text_span(from, to);
    return take_byte(at, end, '"');
}

static bool take_number(char **at, const char *end, struct text *out)
{
    const char *from = *at;

    while (*at < end && ((**at >= '0' && **at <= '9') || **at == '-' || **at == '.'))
        ++*at;
    *out = text_span(from, *at);
    return out->len > 0;
}

static bool take_pair(char **at, const char *end, struct text *key, struct text *value)
{
    if (!take_string(at, end, key) || !take_byte(at, end, ':'))
        return false;
    skip_blanks(at, end);
    return *at < end && **at == '"' ? take_string(at, end, value) : take_number(at, end, value);
}

bool access_json_beginning(char **at, const char *end, struct fields *fields)
{
    for (enum key i = KEY_TIME; i <= KEY_EVENT; i++) {
        struct text key;

        if (!take_byte(at, end, i == KEY_TIME ? '{' : ',') ||
            !take_pair(at, end, &key, &fields->value[i]) || !access_is_key(key, i))
            return false;
    }
    return access_is_exchange(fields);
}

/* Where the line ends without its brace, something is missing: a part of it, not a forgery. */
bool access_json_rest(char **at, const char *end, struct fields *fields)
{
    struct text key, value;

    while (!take_byte(at, end, '}')) {
        bool taken = take_byte(at, end, ',') && take_pair(at, end, &key, &value);
        fields->cut = *at == end;
        if (fields->cut)
            return true;
        if (!taken || !access_keep_field(fields, key, value))
            return false;
    }
    skip_blanks(at, end);
    return *at == end;
}
