/* The part of an upload that holds the operations (GraphQL multipart request specification).
 *
 * Read to the letter: what leaves any doubt about where a part begins, what it is called or whether it is a
 * file, is not read. Libraries for this exist, but each of them forgives something else. */
#include "policy/graphql/request.h"

enum { BOUNDARY_MAX = 70 }; /* RFC 2046, 5.1.1 */

static bool is_boundary_char(char c)
{
    char low = ascii_lower(c);

    return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

static struct text media_type(struct text content_type)
{
    const char *semicolon =
        content_type.len ? memchr(content_type.at, ';', content_type.len) : NULL;

    return text_trim(semicolon ? text_span(content_type.at, semicolon) : content_type);
}

bool graphql_is_multipart(struct text content_type)
{
    return text_eq_nocase(media_type(content_type), TEXT("multipart/form-data"));
}

/* "multipart/form-data; boundary=X" with nothing else; empty: it is not that. */
static struct text boundary_of(struct text content_type)
{
    static const struct text name = TEXT_INIT("boundary=");
    struct text type = media_type(content_type), rest;

    rest = text_span(type.at + type.len, content_type.at + content_type.len);
    rest = text_trim(rest);
    if (rest.len && *rest.at == ';')
        rest = text_trim(text_span(rest.at + 1, rest.at + rest.len));
    if (rest.len <= name.len || !text_eq_nocase((struct text){ rest.at, name.len }, name))
        return TEXT("");
    rest = text_span(rest.at + name.len, rest.at + rest.len);
    if (rest.len > 2 && rest.at[0] == '"' && rest.at[rest.len - 1] == '"')
        rest = (struct text){ rest.at + 1, rest.len - 2 };
    for (size_t i = 0; i < rest.len; i++)
        if (!is_boundary_char(rest.at[i]))
            return TEXT("");
    return rest.len <= BOUNDARY_MAX ? rest : TEXT("");
}

static bool take(struct text *rest, struct text word)
{
    if (!text_starts(*rest, word))
        return false;
    *rest = text_span(rest->at + word.len, rest->at + rest->len);
    return true;
}

static bool take_line(struct text *rest, struct text *line)
{
    const char *end = rest->len ? memmem(rest->at, rest->len, "\r\n", 2) : NULL;

    if (!end)
        return false;
    *line = text_span(rest->at, end);
    *rest = text_span(end + 2, rest->at + rest->len);
    return true;
}

static bool is_one_of(struct text line, struct text a, struct text b)
{
    return text_eq_nocase(line, a) || text_eq_nocase(line, b);
}

/* The head of the part that is called `name`, and is no file. */
static bool take_part_head(struct text *rest, bool operations)
{
    struct text line;

    if (!take_line(rest, &line) ||
        !is_one_of(line,
                   operations ? TEXT("Content-Disposition: form-data; name=\"operations\"")
                              : TEXT("Content-Disposition: form-data; name=\"map\""),
                   operations ? TEXT("Content-Disposition: form-data; name=operations")
                              : TEXT("Content-Disposition: form-data; name=map")))
        return false;
    if (!take_line(rest, &line))
        return false;
    if (line.len == 0)
        return true;
    return is_one_of(line, TEXT("Content-Type: application/json"),
                     TEXT("Content-Type: application/json; charset=utf-8")) &&
           take_line(rest, &line) && line.len == 0;
}

/* A part's content, up to the next delimiter: "\r\n--BOUNDARY\r\n". */
static bool take_content(struct text *rest, struct text boundary, struct text *content)
{
    char delimiter[BOUNDARY_MAX + 4] = "\r\n--";
    size_t len = 4 + boundary.len;
    const char *end;

    memcpy(delimiter + 4, boundary.at, boundary.len);
    end = rest->len ? memmem(rest->at, rest->len, delimiter, len) : NULL;
    if (!end)
        return false;
    *content = text_span(rest->at, end);
    *rest = text_span(end + len, rest->at + rest->len);
    return true;
}

const char *graphql_multipart_read(struct text content_type, struct text body,
                                   struct text *operations)
{
    struct text boundary = boundary_of(content_type), rest = body, map;

    if (!boundary.len)
        return "the boundary of its parts cannot be read for certain";
    if (!take(&rest, TEXT("--")) || !take(&rest, boundary) || !take(&rest, TEXT("\r\n")) ||
        !take_part_head(&rest, true) || !take_content(&rest, boundary, operations))
        return "its first part is not the field operations";
    if (!take(&rest, TEXT("\r\n")) || !take_part_head(&rest, false) ||
        !take_content(&rest, boundary, &map))
        return "its second part is not the field map";
    return NULL;
}
