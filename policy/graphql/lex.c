#include "policy/graphql/lex.h"

#include <stdarg.h>
#include <stdio.h>

enum byte_class {
    BAD,
    BLANK, /* ignored: space, tab, line ends, comma */
    PUNCTUATOR,
    LETTER, /* or _ */
    DIGIT,
    MINUS,
    DOT,
    QUOTE,
    HASH,
};

/* clang-format off */
#define B BLANK
#define P PUNCTUATOR
#define L LETTER
#define D DIGIT
static const unsigned char classes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, B, B, 0, 0, B, 0, 0, /* \t \n \r */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    B, P, QUOTE, HASH, P, 0, P, 0, P, P, 0, 0, B, MINUS, DOT, 0, /* !"#$%&'()*+,-./ */
    D, D, D, D, D, D, D, D, D, D, P, 0, 0, P, 0, 0, /* 0-9 : = */
    P, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, /* @ A-O */
    L, L, L, L, L, L, L, L, L, L, L, P, 0, P, 0, L, /* P-Z [ ] _ */
    0, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,
    L, L, L, L, L, L, L, L, L, L, L, P, P, P, 0, 0, /* { | } */
};
#undef B
#undef P
#undef L
#undef D
/* clang-format on */

static enum byte_class class_of(char c)
{
    return (enum byte_class)classes[(unsigned char)c];
}

void graphql_lex_fail(struct graphql_lexer *lexer, enum graphql_failure failure, const char *at,
                      const char *format, ...)
{
    va_list arguments;

    if (lexer->failed_at)
        return;
    lexer->failed_at = at;
    lexer->at = lexer->end;
    lexer->token = (struct graphql_token){ .kind = TOKEN_BAD, .at = lexer->end };
    lexer->error->failure = failure;
    va_start(arguments, format);
    vsnprintf(lexer->error->what, sizeof(lexer->error->what), format, arguments);
    va_end(arguments);
}

void graphql_lex_fail_utf8(struct graphql_lexer *lexer, const char *at)
{
    graphql_lex_fail(lexer, GRAPHQL_NOT_UTF8, at,
                     "the byte 0x%02x begins no character of UTF-8; save the document as UTF-8",
                     (unsigned)(unsigned char)*at);
}

static void set_token(struct graphql_lexer *lexer, int kind, const char *at, const char *end)
{
    lexer->token = (struct graphql_token){ kind, at, text_span(at, end) };
    lexer->at = end;
}

/* ---- what is ignored ---- */

/* Returns where the line ends, or NULL after a failure. */
static const char *skip_comment(struct graphql_lexer *lexer, const char *at)
{
    while (at < lexer->end && *at != '\n' && *at != '\r') {
        size_t length = (unsigned char)*at < 0x80 ? 1 : graphql_utf8_length(at, lexer->end);

        if (length == 0) {
            graphql_lex_fail_utf8(lexer, at);
            return NULL;
        }
        at += length;
    }
    return at;
}

static bool is_byte_order_mark(const char *at, const char *end)
{
    return end - at >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0;
}

/* Returns the first byte of a token, or the end, or NULL after a failure. */
static const char *skip_ignored(struct graphql_lexer *lexer)
{
    const char *at = lexer->at, *end = lexer->end;

    while (at && at < end) {
        if (class_of(*at) == BLANK)
            at++;
        else if (*at == '#')
            at = skip_comment(lexer, at);
        else if (is_byte_order_mark(at, end))
            at += 3;
        else
            break;
    }
    return at;
}

/* ---- numbers ---- */

static const char *skip_digits(const struct graphql_lexer *lexer, const char *at)
{
    while (at < lexer->end && class_of(*at) == DIGIT)
        at++;
    return at;
}

static bool is_one_of(const struct graphql_lexer *lexer, const char *at, const char *set)
{
    return at < lexer->end && *at && strchr(set, *at);
}

/* At least one digit, as many as there are; NULL after a failure. */
static const char *read_digits(struct graphql_lexer *lexer, const char *at)
{
    const char *end = at ? skip_digits(lexer, at) : NULL;

    if (end && end > at)
        return end;
    if (at)
        graphql_lex_fail(lexer, GRAPHQL_SYNTAX, at, "a digit is missing in the number");
    return NULL;
}

static const char *read_integer(struct graphql_lexer *lexer, const char *at)
{
    if (*at == '-')
        at++;
    if (!is_one_of(lexer, at, "0"))
        return read_digits(lexer, at);
    at++;
    if (at == lexer->end || class_of(*at) != DIGIT)
        return at;
    graphql_lex_fail(lexer, GRAPHQL_SYNTAX, at, "a number does not begin with a needless 0");
    return NULL;
}

/* `at` may be NULL: a failure before. */
static const char *read_fraction(struct graphql_lexer *lexer, const char *at)
{
    return at && is_one_of(lexer, at, ".") ? read_digits(lexer, at + 1) : at;
}

static const char *read_exponent(struct graphql_lexer *lexer, const char *at)
{
    if (!at || !is_one_of(lexer, at, "eE"))
        return at;
    at++;
    return read_digits(lexer, is_one_of(lexer, at, "+-") ? at + 1 : at);
}

static void lex_number(struct graphql_lexer *lexer, const char *at)
{
    const char *integer = read_integer(lexer, at);
    const char *end = read_exponent(lexer, read_fraction(lexer, integer));

    if (!end)
        return;
    if (end < lexer->end && (class_of(*end) == LETTER || *end == '.'))
        graphql_lex_fail(lexer, GRAPHQL_SYNTAX, end,
                         "a number ends here, and \"%c\" cannot follow it directly", *end);
    else
        set_token(lexer, end > integer ? TOKEN_FLOAT : TOKEN_INT, at, end);
}

/* ---- the rest ---- */

static void lex_name(struct graphql_lexer *lexer, const char *at)
{
    const char *end = at + 1;

    while (end < lexer->end && (class_of(*end) == LETTER || class_of(*end) == DIGIT))
        end++;
    set_token(lexer, TOKEN_NAME, at, end);
}

static void lex_spread(struct graphql_lexer *lexer, const char *at)
{
    if (lexer->end - at >= 3 && at[1] == '.' && at[2] == '.')
        set_token(lexer, TOKEN_SPREAD, at, at + 3);
    else
        graphql_lex_fail(lexer, GRAPHQL_SYNTAX, at, "a \".\" stands alone; a spread has three");
}

static void fail_character(struct graphql_lexer *lexer, const char *at)
{
    size_t length = graphql_utf8_length(at, lexer->end);
    char shown[20];

    if (length == 0) {
        graphql_lex_fail_utf8(lexer, at);
        return;
    }
    text_printable((struct text){ at, length }, shown, sizeof(shown));
    graphql_lex_fail(lexer, GRAPHQL_SYNTAX, at, "the character \"%s\" has no meaning here%s", shown,
                     *at == '\'' ? "; strings stand in double quotes" : "");
}

static void lex_at(struct graphql_lexer *lexer, const char *at)
{
    switch (class_of(*at)) {
    case PUNCTUATOR:
        set_token(lexer, *at, at, at + 1);
        break;
    case LETTER:
        lex_name(lexer, at);
        break;
    case DIGIT:
    case MINUS:
        lex_number(lexer, at);
        break;
    case DOT:
        lex_spread(lexer, at);
        break;
    case QUOTE:
        graphql_lex_string(lexer, at);
        break;
    default:
        fail_character(lexer, at);
    }
}

void graphql_lex(struct graphql_lexer *lexer)
{
    const char *at = skip_ignored(lexer);

    if (lexer->failed_at)
        return;
    if (at == lexer->end)
        set_token(lexer, TOKEN_END, at, at);
    else if (++lexer->n_tokens > lexer->max_tokens)
        graphql_lex_fail(lexer, GRAPHQL_TOO_MANY_TOKENS, at,
                         "the document has more than the %zu tokens that are allowed",
                         lexer->max_tokens);
    else
        lex_at(lexer, at);
}

const char *graphql_lex_describe(const struct graphql_token *token, char *out, size_t size)
{
    char shown[48];

    text_printable(token->text, shown, sizeof(shown));
    switch (token->kind) {
    case TOKEN_END:
    case TOKEN_BAD:
        snprintf(out, size, "the end of the document");
        break;
    case TOKEN_STRING:
    case TOKEN_BLOCK_STRING:
        snprintf(out, size, "a string");
        break;
    case TOKEN_NAME:
        snprintf(out, size, "the name \"%s\"", shown);
        break;
    case TOKEN_INT:
    case TOKEN_FLOAT:
        snprintf(out, size, "the number %s", shown);
        break;
    default:
        snprintf(out, size, "\"%s\"", shown);
    }
    return out;
}
