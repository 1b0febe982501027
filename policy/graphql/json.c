#include "policy/graphql/json.h"

#include <stdint.h>
#include <stdlib.h>

#include "config/memory.h"
#include "policy/graphql/lex.h"

void graphql_json_fini(struct graphql_json *json)
{
    free(json->room_start);
    json->room_start = json->room = NULL;
}

static bool fail(struct graphql_json *json)
{
    json->bad = true;
    json->at = json->end;
    return false;
}

static void skip_blanks(struct graphql_json *json)
{
    while (json->at < json->end &&
           (*json->at == ' ' || *json->at == '\t' || *json->at == '\n' || *json->at == '\r'))
        json->at++;
}

static bool take(struct graphql_json *json, char c)
{
    skip_blanks(json);
    if (json->at == json->end || *json->at != c)
        return false;
    json->at++;
    return true;
}

/* ---- strings ---- */

/* Bytes that mean themselves in a string: ASCII but for '"', '\\' and controls. */
static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

static int hex4(const struct graphql_json *json, const char *at)
{
    int value = 0;

    if (json->end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = ascii_hex(at[i]);

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static size_t put_utf8(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* Behind "\u". The length of what it means; 0: it means nothing. */
static size_t read_unicode(struct graphql_json *json, char out[4])
{
    int high = hex4(json, json->at), low;

    if (high <= 0)
        return 0;
    json->at += 4;
    if (high < 0xd800 || high > 0xdfff)
        return put_utf8((uint32_t)high, out);
    if (high > 0xdbff || json->end - json->at < 2 || json->at[0] != '\\' || json->at[1] != 'u')
        return 0;
    low = hex4(json, json->at + 2);
    if (low < 0xdc00 || low > 0xdfff)
        return 0;
    json->at += 6;
    return put_utf8(0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00), out);
}

/* Behind the backslash. */
static size_t read_escape(struct graphql_json *json, char out[4])
{
    static const char written[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    char c = json->at < json->end ? *json->at++ : '\0';
    const char *found = c ? strchr(written, c) : NULL;

    if (c == 'u')
        return read_unicode(json, out);
    if (!found)
        return 0;
    out[0] = meant[found - written];
    return 1;
}

/* What one escape or one character of several bytes means. False: it is neither. */
static bool read_odd(struct graphql_json *json, char out[4], size_t *len)
{
    if (*json->at == '\\') {
        json->at++;
        *len = read_escape(json, out);
        return *len > 0;
    }
    *len = (unsigned char)*json->at < 0x80 ? 0 : graphql_utf8_length(json->at, json->end);
    memcpy(out, json->at, *len);
    json->at += *len;
    return *len > 0;
}

static const char *skip_plain(const char *at, const char *end)
{
    while (at < end && is_plain(*at))
        at++;
    return at;
}

static void add(char **to, const char *from, size_t n)
{
    if (*to && n) {
        memcpy(*to, from, n);
        *to += n;
    }
}

/* Decodes into `to`; with *to == NULL it only reads. At the closing quotation mark, or false. */
static bool decode(struct graphql_json *json, char **to)
{
    char odd[4];
    size_t len;

    for (;;) {
        const char *plain = json->at;

        json->at = skip_plain(plain, json->end);
        add(to, plain, (size_t)(json->at - plain));
        if (json->at == json->end)
            return fail(json);
        if (*json->at == '"')
            return true;
        if (!read_odd(json, odd, &len))
            return fail(json);
        add(to, odd, len);
    }
}

/* Behind the opening quotation mark. What is decoded is never longer than what is written, and each byte is
 * decoded once. */
static bool read_string(struct graphql_json *json, struct text *out)
{
    const char *start = json->at, *plain = skip_plain(start, json->end);
    char *to = NULL, *from;

    if (plain < json->end && *plain == '"') { /* as it is written */
        json->at = plain + 1;
        *out = text_span(start, plain);
        return true;
    }
    if (!json->room_start)
        json->room_start = json->room = mem_alloc(json->room_size + 1, 1);
    from = to = json->room;
    if (!decode(json, &to))
        return false;
    json->at++;
    *out = text_span(from, to);
    json->room = to;
    return true;
}

static bool skip_string(struct graphql_json *json)
{
    char *nowhere = NULL;

    if (!decode(json, &nowhere))
        return false;
    json->at++;
    return true;
}

/* ---- other values ---- */

static bool skip_digits(struct graphql_json *json)
{
    const char *from = json->at;

    while (json->at < json->end && *json->at >= '0' && *json->at <= '9')
        json->at++;
    return json->at > from;
}

static bool next_is(const struct graphql_json *json, char a, char b)
{
    return json->at < json->end && (*json->at == a || *json->at == b);
}

static bool read_number(struct graphql_json *json)
{
    if (next_is(json, '-', '-'))
        json->at++;
    if (next_is(json, '0', '0'))
        json->at++;
    else if (!skip_digits(json))
        return fail(json);
    if (next_is(json, '.', '.')) {
        json->at++;
        if (!skip_digits(json))
            return fail(json);
    }
    if (next_is(json, 'e', 'E')) {
        json->at++;
        if (next_is(json, '+', '-'))
            json->at++;
        if (!skip_digits(json))
            return fail(json);
    }
    return true;
}

static bool read_word(struct graphql_json *json, struct graphql_json_value *out)
{
    static const struct {
        struct text word;
        enum graphql_json_kind kind;
    } words[] = { { TEXT_INIT("true"), GRAPHQL_JSON_TRUE },
                  { TEXT_INIT("false"), GRAPHQL_JSON_FALSE },
                  { TEXT_INIT("null"), GRAPHQL_JSON_NULL } };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!text_starts(text_span(json->at, json->end), words[i].word))
            continue;
        json->at += words[i].word.len;
        out->kind = words[i].kind;
        return true;
    }
    out->kind = GRAPHQL_JSON_NUMBER;
    return read_number(json);
}

static bool skip_value(struct graphql_json *json, struct graphql_json_value *out, unsigned depth);

/* Behind the bracket. */
static bool skip_items(struct graphql_json *json, bool object, unsigned depth)
{
    struct graphql_json_value item;
    char close = object ? '}' : ']';

    if (depth == GRAPHQL_JSON_DEEPEST)
        return fail(json);
    if (take(json, close))
        return true;
    do {
        if (object && (!take(json, '"') || !skip_string(json) || !take(json, ':')))
            return fail(json);
        if (!skip_value(json, &item, depth + 1))
            return false;
    } while (take(json, ','));
    return take(json, close) ? true : fail(json);
}

static bool skip_value(struct graphql_json *json, struct graphql_json_value *out, unsigned depth)
{
    bool good;

    skip_blanks(json);
    if (json->at == json->end)
        return fail(json);
    const char *from = json->at;
    if (take(json, '"')) {
        out->kind = GRAPHQL_JSON_STRING;
        good = skip_string(json);
    } else if (take(json, '{')) {
        out->kind = GRAPHQL_JSON_OBJECT;
        good = skip_items(json, true, depth);
    } else if (take(json, '[')) {
        out->kind = GRAPHQL_JSON_ARRAY;
        good = skip_items(json, false, depth);
    } else {
        good = read_word(json, out);
    }
    out->text = text_span(from, json->at);
    return good;
}

/* ---- for those who read ---- */

bool graphql_json_read(struct graphql_json *json, struct graphql_json_value *out)
{
    if (!take(json, '"'))
        return skip_value(json, out, 0);
    out->kind = GRAPHQL_JSON_STRING;
    return read_string(json, &out->text);
}

bool graphql_json_enter(struct graphql_json *json, char open)
{
    return take(json, open);
}

/* True if there is one more. */
static bool go_on(struct graphql_json *json, bool *first, char close)
{
    bool begins = *first;

    *first = false;
    if (take(json, close))
        return false;
    return begins || take(json, ',') ? !json->bad : fail(json);
}

bool graphql_json_member(struct graphql_json *json, bool *first, struct text *name)
{
    if (!go_on(json, first, '}'))
        return false;
    if (!take(json, '"') || !read_string(json, name) || !take(json, ':'))
        return fail(json);
    return true;
}

bool graphql_json_element(struct graphql_json *json, bool *first)
{
    return go_on(json, first, ']');
}

bool graphql_json_ends(struct graphql_json *json)
{
    skip_blanks(json);
    return !json->bad && json->at == json->end;
}
