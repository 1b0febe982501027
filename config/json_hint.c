#include "config/json_hint.h"

#include <stdio.h>

/* The mistake, as far as the bytes around it show. All pointers are into the text. */
struct mistake {
    struct text bytes;
    const char *message; /* the parser's */
    const char *token;   /* first byte of what the parser did not like */
    const char *end;
};

static struct text line_of(const struct mistake *mistake)
{
    const char *start = mistake->token, *stop = mistake->token;

    while (start > mistake->bytes.at && start[-1] != '\n')
        start--;
    while (stop < mistake->end && *stop != '\n')
        stop++;
    return text_span(start, stop);
}

static char last_before(const struct mistake *mistake)
{
    const char *at = mistake->token;

    while (at > mistake->bytes.at && strchr(" \t\r\n", at[-1]) && at[-1])
        at--;
    return at > mistake->bytes.at ? at[-1] : '\0';
}

static bool is_empty(const struct mistake *mistake)
{
    return place_root(mistake->bytes) == mistake->end;
}

static bool is_utf16(const struct mistake *mistake)
{
    return text_starts(mistake->bytes, TEXT("\xFF\xFE")) ||
           text_starts(mistake->bytes, TEXT("\xFE\xFF"));
}

static bool is_conflict(const struct mistake *mistake)
{
    struct text line = line_of(mistake);

    return text_starts(line, TEXT("<<<<<<<")) || text_starts(line, TEXT("=======")) ||
           text_starts(line, TEXT(">>>>>>>"));
}

static char token_byte(const struct mistake *mistake)
{
    return mistake->token < mistake->end ? *mistake->token : '\0';
}

static bool is_trailing_comma(const struct mistake *mistake)
{
    char c = token_byte(mistake);

    return (c == '}' || c == ']') && last_before(mistake) == ',';
}

static bool is_missing_comma(const struct mistake *mistake)
{
    char before = last_before(mistake), c = token_byte(mistake);

    return (before == '"' || before == '}' || before == ']') &&
           (c == '"' || c == '{' || c == '[') && strstr(mistake->message, "' expected");
}

static bool is_comment(const struct mistake *mistake)
{
    return token_byte(mistake) == '/' || token_byte(mistake) == '#';
}

static bool is_single_quote(const struct mistake *mistake)
{
    return token_byte(mistake) == '\'';
}

static bool is_cut_off(const struct mistake *mistake)
{
    return mistake->token == mistake->end;
}

static bool is_more_than_one(const struct mistake *mistake)
{
    return strstr(mistake->message, "end of file expected") != NULL;
}

static bool is_bad_utf8(const struct mistake *mistake)
{
    return strstr(mistake->message, "UTF-8") || strstr(mistake->message, "unable to decode");
}

static bool is_too_deep(const struct mistake *mistake)
{
    return strstr(mistake->message, "maximum parsing depth") != NULL;
}

static bool is_line_break(const struct mistake *mistake)
{
    return strstr(mistake->message, "unexpected newline") != NULL;
}

/* The first that applies speaks. */
static const struct {
    bool (*applies)(const struct mistake *mistake);
    const char *sentence;
} hints[] = {
    { is_empty, "the file is empty; it must hold one JSON object: { ... }" },
    { is_utf16, "the file is UTF-16; save it as UTF-8" },
    { is_conflict, "a merge conflict marker was left in the file; resolve the conflict" },
    { is_too_deep, "it is nested far too deep" },
    { is_trailing_comma, "a comma stands before this closing bracket; remove the comma" },
    { is_missing_comma, "a comma is missing before this" },
    { is_comment, "JSON has no comments; remove it" },
    { is_single_quote, "JSON strings are written in double quotes" },
    { is_bad_utf8, "these bytes are not UTF-8; save the file as UTF-8" },
    { is_line_break, "a string is not closed on its line; a line break in it is written \\n" },
    { is_cut_off, "the file ends too early: a bracket or a quote is not closed" },
    { is_more_than_one, "something stands behind the end of the JSON value" },
};

/* `at` is behind a token that the parser was too polite to name: a long string or word. */
static const char *walk_back(const char *start, const char *at)
{
    const char *from = at - 1;

    if (*from != '"') {
        while (from > start && !strchr(" \t\r\n,:[]{}\"", from[-1]))
            from--;
        return from;
    }
    do {
        from = from > start ? from - 1 : start;
    } while (from > start && (*from != '"' || from[-1] == '\\'));
    return from;
}

/* The parser counts to the end of the token that it names in "... near 'TOKEN'"; the token's start
 * is the better place. */
static const char *token_start(struct text bytes, const char *message, size_t offset)
{
    const char *at = bytes.at + (offset < bytes.len ? offset : bytes.len);
    const char *near = strstr(message, " near '");
    struct text token;

    if (at == bytes.at || strstr(message, "near end of file"))
        return at;
    if (!near)
        return walk_back(bytes.at, at);
    token = text_of(near + strlen(" near '"));
    if (text_ends(token, TEXT("'")))
        token.len--;
    return text_ends(text_span(bytes.at, at), token) ? at - token.len : at - 1;
}

void json_hint(const struct place_index *index, const char *message, size_t offset,
               struct diags *diags)
{
    struct text bytes = index->bytes;
    struct mistake mistake = { .bytes = bytes,
                               .message = message,
                               .token = token_start(bytes, message, offset),
                               .end = bytes.at + bytes.len };
    struct place place = place_of(index, mistake.token);

    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        if (hints[i].applies(&mistake)) {
            diag_fatal(diags, place, "not valid JSON: %s", hints[i].sentence);
            return;
        }
    }
    diag_fatal(diags, place, "not valid JSON: %s", message);
}
