/* Strings: "..." with escapes, and block strings with their indentation. */
#include <stdint.h>

#include "policy/graphql/lex.h"

/* ---- UTF-8 ---- */

static bool continues(const char *at, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)at[i] & 0xc0) != 0x80)
            return false;
    }
    return true;
}

/* The least and the greatest second byte; RFC 3629, section 4. */
static bool second_fits(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xe0:
        return second >= 0xa0;
    case 0xed:
        return second <= 0x9f;
    case 0xf0:
        return second >= 0x90;
    case 0xf4:
        return second <= 0x8f;
    default:
        return true;
    }
}

size_t graphql_utf8_length(const char *at, const char *end)
{
    unsigned char first = (unsigned char)*at;
    size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    if (length == 1)
        return 1;
    if (first < 0xc2 || first > 0xf4 || (size_t)(end - at) < length || !continues(at, length) ||
        !second_fits(first, (unsigned char)at[1]))
        return 0;
    return length;
}

static char *put_utf8(uint32_t c, char *out)
{
    static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = length; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(lead[length] | c);
    return out + length;
}

static bool is_scalar(uint32_t c)
{
    return c < 0xd800 || (c > 0xdfff && c <= 0x10ffff);
}

/* ---- escapes ---- */

/* Exactly four hex digits at `at`, else UINT32_MAX. */
static uint32_t four_digits(const char *at, const char *end)
{
    uint32_t value = 0;

    if (end - at < 4)
        return UINT32_MAX;
    for (int i = 0; i < 4; i++) {
        if (ascii_hex(at[i]) < 0)
            return UINT32_MAX;
        value = value << 4 | (uint32_t)ascii_hex(at[i]);
    }
    return value;
}

/* The functions below read one escape at `at`, where the backslash is, and return what is behind it,
 * or NULL when it is none. */

/* \u{1F600}: one to eight digits */
static const char *read_braced(const char *at, const char *end, uint32_t *c)
{
    const char *first = at + 3;

    *c = 0;
    for (at = first; at < end && at - first < 8 && ascii_hex(*at) >= 0; at++)
        *c = *c << 4 | (uint32_t)ascii_hex(*at);
    return at > first && at < end && *at == '}' && is_scalar(*c) ? at + 1 : NULL;
}

/* \u00e9, or two of them that make a surrogate pair */
static const char *read_four(const char *at, const char *end, uint32_t *c)
{
    uint32_t low;

    *c = four_digits(at + 2, end);
    if (is_scalar(*c))
        return at + 6;
    if (*c > 0xdbff || end - at < 12 || at[6] != '\\' || at[7] != 'u')
        return NULL;
    low = four_digits(at + 8, end);
    if (low < 0xdc00 || low > 0xdfff)
        return NULL;
    *c = 0x10000 + ((*c & 0x3ff) << 10) + (low & 0x3ff);
    return at + 12;
}

static const char *read_escape(const char *at, const char *end, uint32_t *c)
{
    static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const char *found;

    if (end - at < 2)
        return NULL;
    if (at[1] == 'u')
        return end - at > 2 && at[2] == '{' ? read_braced(at, end, c) : read_four(at, end, c);
    found = at[1] ? strchr(escapes, at[1]) : NULL;
    if (!found)
        return NULL;
    *c = (unsigned char)meant[found - escapes];
    return at + 2;
}

static void fail_escape(struct graphql_lexer *lexer, const char *at, const char *end)
{
    size_t length = end - at > 1 ? graphql_utf8_length(at + 1, end) : 0;
    char shown[24];

    text_printable((struct text){ at + 1, length }, shown, sizeof(shown));
    graphql_lex_fail(lexer, GRAPHQL_SYNTAX, at, "\\%s is no escape; %s", shown,
                     length == 1 && at[1] == 'u'
                         ? "behind \\u stand four hex digits that name a character"
                         : "a backslash itself is written twice");
}

/* ---- "..." ---- */

static void set_string(struct graphql_lexer *lexer, int kind, const char *at, struct text text,
                       const char *end)
{
    lexer->token = (struct graphql_token){ kind, at, text };
    lexer->at = end;
}

/* An escape is never shorter than what it means. */
static struct text decode(struct graphql_lexer *lexer, struct text raw)
{
    char *made = arena_take(lexer->arena, raw.len), *out = made;
    const char *at = raw.at, *end = raw.at + raw.len;
    uint32_t c = 0;

    while (at < end) {
        const char *behind;

        if (*at != '\\') {
            *out++ = *at++;
            continue;
        }
        behind = read_escape(at, end, &c);
        if (!behind) {
            fail_escape(lexer, at, end);
            break;
        }
        out = put_utf8(c, out);
        at = behind;
    }
    return text_span(made, out);
}

static void fail_unterminated(struct graphql_lexer *lexer, const char *at, const char *quotes)
{
    graphql_lex_fail(lexer, GRAPHQL_SYNTAX, at, "the string has no closing %s", quotes);
}

/* Where the closing quote is, or NULL after a failure. */
static const char *find_quote(struct graphql_lexer *lexer, const char *at, bool *escaped)
{
    const char *from = at++;

    while (at < lexer->end && *at != '"' && *at != '\n' && *at != '\r') {
        size_t length = graphql_utf8_length(at, lexer->end);

        if (length == 0) {
            graphql_lex_fail_utf8(lexer, at);
            return NULL;
        }
        if (*at == '\\') {
            *escaped = true;
            /* what follows is looked at when it is decoded, but a quote does not end the string */
            length = lexer->end - at > 1 && (at[1] == '"' || at[1] == '\\') ? 2 : 1;
        }
        at += length;
    }
    if (at < lexer->end && *at == '"')
        return at;
    fail_unterminated(lexer, from, "\" on its line");
    return NULL;
}

static void lex_line_string(struct graphql_lexer *lexer, const char *at)
{
    bool escaped = false;
    const char *close = find_quote(lexer, at, &escaped);
    struct text text;

    if (!close)
        return;
    text = text_span(at + 1, close);
    if (escaped)
        text = decode(lexer, text);
    if (!lexer->failed_at)
        set_string(lexer, TOKEN_STRING, at, text, close + 1);
}

/* ---- block strings ---- */

static bool is_triple(const char *at, const char *end)
{
    return end - at >= 3 && memcmp(at, "\"\"\"", 3) == 0;
}

static bool is_escaped_triple(const char *at, const char *end)
{
    return *at == '\\' && is_triple(at + 1, end);
}

/* Takes the next line from the front of `rest`; a line ends with LF, CR, or CR LF. False when the line
 * was the last. */
static bool take_line(struct text *rest, struct text *line)
{
    const char *at = rest->at, *end = rest->at + rest->len;

    while (at < end && *at != '\n' && *at != '\r')
        at++;
    *line = text_span(rest->at, at);
    if (at == end)
        return false;
    at += *at == '\r' && end - at > 1 && at[1] == '\n' ? 2 : 1;
    *rest = text_span(at, end);
    return true;
}

static size_t indent_of(struct text line)
{
    size_t n = 0;

    while (n < line.len && (line.at[n] == ' ' || line.at[n] == '\t'))
        n++;
    return n;
}

/* What BlockStringValue() of the specification finds out before it cuts. Lines count from 0. */
struct block_shape {
    size_t indent;
    size_t first, behind; /* the lines that are kept: first <= line < behind */
};

static struct block_shape shape_of(struct text raw)
{
    struct block_shape shape = { .indent = SIZE_MAX };
    struct text line;
    bool more = true, any = false;

    for (size_t i = 0; more; i++) {
        size_t indent;

        more = take_line(&raw, &line);
        indent = indent_of(line);
        if (indent == line.len)
            continue;
        shape.first = any ? shape.first : i;
        shape.behind = i + 1;
        any = true;
        if (i > 0 && indent < shape.indent)
            shape.indent = indent;
    }
    return shape;
}

static char *put_line(char *out, struct text line)
{
    const char *at = line.at, *end = line.at + line.len;

    while (at < end) {
        if (is_escaped_triple(at, end))
            at++;
        *out++ = *at++;
    }
    return out;
}

static struct text dedent(struct graphql_lexer *lexer, struct text raw)
{
    struct block_shape shape = shape_of(raw);
    char *made = arena_take(lexer->arena, raw.len), *out = made;
    struct text line;

    for (size_t i = 0; i < shape.behind; i++) {
        size_t cut = i == 0 ? 0 : shape.indent;

        take_line(&raw, &line);
        if (i < shape.first)
            continue;
        if (i > shape.first)
            *out++ = '\n';
        cut = cut < line.len ? cut : line.len;
        out = put_line(out, text_span(line.at + cut, line.at + line.len));
    }
    return text_span(made, out);
}

static const char *find_triple(struct graphql_lexer *lexer, const char *from)
{
    const char *at = from + 3;

    while (at < lexer->end && !is_triple(at, lexer->end)) {
        size_t length = is_escaped_triple(at, lexer->end) ? 4 : graphql_utf8_length(at, lexer->end);

        if (length == 0) {
            graphql_lex_fail_utf8(lexer, at);
            return NULL;
        }
        at += length;
    }
    if (at < lexer->end)
        return at;
    fail_unterminated(lexer, from, "\"\"\"");
    return NULL;
}

static void lex_block_string(struct graphql_lexer *lexer, const char *at)
{
    const char *close = find_triple(lexer, at);

    if (close)
        set_string(lexer, TOKEN_BLOCK_STRING, at, dedent(lexer, text_span(at + 3, close)),
                   close + 3);
}

void graphql_lex_string(struct graphql_lexer *lexer, const char *at)
{
    if (is_triple(at, lexer->end))
        lex_block_string(lexer, at);
    else
        lex_line_string(lexer, at);
}
