#include "tests/janus/head.h"

#include <ctype.h>

static bool is_token_char(unsigned char c)
{
    return isalnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct text text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_token_char((unsigned char)text.at[i]))
            return false;
    return text.len > 0;
}

/* Controls never belong in a head; bytes of 0x80 and more do occur. */
static bool has_control(struct text text, bool tab_allowed)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        if ((c < 0x20 && !(tab_allowed && c == '\t')) || c == 0x7f)
            return true;
    }
    return false;
}

/* Cuts `whole` at the first `mark`: what is before it, and in `rest` what is behind it. */
static struct text cut(struct text whole, char mark, struct text *rest)
{
    const char *at = whole.len ? memchr(whole.at, mark, whole.len) : NULL;

    if (!at) {
        *rest = TEXT_NONE;
        return whole;
    }
    *rest = text_span(at + 1, whole.at + whole.len);
    return text_span(whole.at, at);
}

static struct text take_line(struct text *rest)
{
    const char *end = memmem(rest->at, rest->len, "\r\n", 2);
    struct text line = end ? text_span(rest->at, end) : *rest;

    *rest = end ? text_span(end + 2, rest->at + rest->len) : TEXT_NONE;
    return line;
}

bool head_next(struct text *rest, struct field *out)
{
    struct text line;

    if (rest->len == 0)
        return false;
    line = take_line(rest);
    out->name = cut(line, ':', &out->value);
    out->value = text_trim(out->value);
    return true;
}

struct text head_find(const struct head *head, const char *name)
{
    struct text rest = head->fields;
    struct field field;

    while (head_next(&rest, &field))
        if (text_eq_nocase(field.name, text_of(name)))
            return field.value;
    return TEXT_NONE;
}

struct text head_cookie(const struct head *head, const char *name)
{
    struct text rest = head->fields;
    struct field field;

    while (head_next(&rest, &field)) {
        struct text pairs = field.value;

        if (!text_eq_nocase(field.name, TEXT("Cookie")))
            continue;
        while (pairs.len > 0) {
            struct text value, pair = text_trim(cut(pairs, ';', &pairs));

            if (text_eq(cut(pair, '=', &value), text_of(name)))
                return value;
        }
    }
    return TEXT_NONE;
}

static const char *parse_target(struct head *out)
{
    struct text rest = out->target;
    const char *scheme_end = memmem(rest.at, rest.len, "://", 3);

    if (rest.len > 0 && rest.at[0] != '/' && scheme_end) {
        struct text authority = text_span(scheme_end + 3, rest.at + rest.len);
        const char *end = authority.at;

        while (end < authority.at + authority.len && !strchr("/?", *end))
            end++;
        out->host = text_span(authority.at, end);
        rest = text_span(end, authority.at + authority.len);
    }
    out->path = cut(rest, '?', &out->query);
    return has_control(out->target, false) ? "control byte in the target" : NULL;
}

static const char *parse_request_line(struct text line, struct head *out)
{
    struct text rest;

    out->method = cut(line, ' ', &rest);
    out->target = cut(rest, ' ', &rest);
    out->version = rest;
    if (!is_token(out->method) || out->target.len == 0)
        return "not a request line";
    if (!text_eq(rest, TEXT("HTTP/1.1")) && !text_eq(rest, TEXT("HTTP/1.0")))
        return "version is neither HTTP/1.1 nor HTTP/1.0";
    out->keep_alive = text_eq(rest, TEXT("HTTP/1.1"));
    return parse_target(out);
}

struct seen {
    unsigned lengths, codings, hosts;
};

static bool lists(struct text value, const char *word)
{
    while (value.len > 0)
        if (text_eq_nocase(text_trim(cut(value, ',', &value)), text_of(word)))
            return true;
    return false;
}

static const char *note_field(struct field field, struct head *out, struct seen *seen)
{
    unsigned long long length = 0;

    if (text_eq_nocase(field.name, TEXT("Content-Length"))) {
        seen->lengths++;
        if (!text_to_uint(field.value, INT64_MAX, &length))
            return "Content-Length is not a number";
        out->length = length;
    } else if (text_eq_nocase(field.name, TEXT("Transfer-Encoding"))) {
        seen->codings++;
        out->chunked = text_eq_nocase(field.value, TEXT("chunked"));
        if (!out->chunked)
            return "unknown Transfer-Encoding";
    } else if (text_eq_nocase(field.name, TEXT("Host"))) {
        if (seen->hosts++ == 0 && !out->host.at)
            out->host = field.value;
    } else if (text_eq_nocase(field.name, TEXT("Connection"))) {
        if (lists(field.value, "close"))
            out->keep_alive = false;
    } else if (text_eq_nocase(field.name, TEXT("Expect"))) {
        out->expects_continue = text_eq_nocase(field.value, TEXT("100-continue"));
    }
    return NULL;
}

static const char *parse_fields(struct head *out)
{
    struct seen seen = { 0 };
    struct text rest = out->fields;
    struct field field;
    const char *fault;

    while (head_next(&rest, &field)) {
        if (!is_token(field.name) || !field.value.at)
            return "not a field line";
        if (has_control(field.value, true))
            return "control byte in a field value";
        fault = note_field(field, out, &seen);
        if (fault)
            return fault;
    }
    if (seen.lengths > 1 || seen.codings > 1 || (seen.lengths && seen.codings))
        return "more than one framing";
    if (seen.hosts > 1)
        return "more than one Host";
    return NULL;
}

const char *head_parse(struct text raw, struct head *out)
{
    struct text rest = raw;
    const char *fault;

    *out = (struct head){ .path = TEXT(""), .target = TEXT("") };
    if (rest.len >= 2)
        rest.len -= 2; /* the empty line */
    fault = parse_request_line(take_line(&rest), out);
    out->fields = rest;
    return fault ? fault : parse_fields(out);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t decode(struct text from, char *out, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < from.len && used + 1 < size; i++) {
        int high = i + 2 < from.len ? hex_digit(from.at[i + 1]) : -1;
        int low = i + 2 < from.len ? hex_digit(from.at[i + 2]) : -1;

        if (from.at[i] == '%' && high >= 0 && low >= 0) {
            out[used++] = (char)(high << 4 | low);
            i += 2;
        } else {
            out[used++] = (char)(from.at[i] == '+' ? ' ' : from.at[i]);
        }
    }
    out[used] = '\0';
    return used;
}

bool query_text(struct text query, const char *name, char *out, size_t size, size_t *len)
{
    const struct text want = { name, strlen(name) };

    while (query.len > 0) {
        struct text value, pair = cut(query, '&', &query);

        if (text_eq(cut(pair, '=', &value), want)) {
            size_t used = decode(value, out, size);

            if (len)
                *len = used;
            return true;
        }
    }
    return false;
}

unsigned long long query_number(struct text query, const char *name, unsigned long long fallback)
{
    char digits[24];
    unsigned long long number;
    size_t len;

    if (!query_text(query, name, digits, sizeof(digits), &len) ||
        !text_to_uint((struct text){ digits, len }, INT64_MAX, &number))
        return fallback;
    return number;
}
