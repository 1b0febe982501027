/* The gate: nothing reaches htparser, the policy or an origin that this scan has not accepted.
 *
 * htparser believes too much (duplicate lengths, blanks before colons, bare LF, controls), so it is
 * only ever shown a head that we wrote: a canonical start line and the headers that decide framing,
 * in one piece. Whatever it then says must equal what the scan found, or the message is refused. */
#include "proxy/http/head.h"

#include <assert.h>
#include <evhtp/parser.h>
#include <stdlib.h>

#include "proxy/http/names.h"
#include "proxy/http/syntax.h"

/* ---- where does the head end? ------------------------------------------------------------------
 */

static enum head_result refuse(const char **why, const char *sentence)
{
    *why = sentence;
    return HEAD_BAD;
}

/* A ClientHello always holds an LF too (supported_groups is extension 10). */
static enum head_result refuse_line(struct text bytes, size_t start, const char **why,
                                    const char *sentence)
{
    bool tls = start < bytes.len && bytes.at[start] == 0x16;

    return refuse(why, tls ? "this port speaks plain HTTP and was sent a TLS handshake" : sentence);
}

/* A complete line [scan->line, lf] was seen. True if it is the empty line that ends the head. */
static bool line_is_last(struct head_scan *scan, uint32_t lf)
{
    bool empty = lf - scan->line == 1;

    scan->line = lf + 1;
    if (!empty)
        return false;
    if (lf - 1 > scan->start)
        return true;
    scan->start = lf + 1;
    scan->empty_lines++;
    return false;
}

enum head_result head_end(struct head_scan *scan, struct text bytes, size_t *end, const char **why)
{
    while (scan->at < bytes.len) {
        const char *lf = memchr(bytes.at + scan->at, '\n', bytes.len - scan->at);

        if (!lf) {
            scan->at = (uint32_t)bytes.len;
            break;
        }
        uint32_t index = (uint32_t)(lf - bytes.at);
        if (index == 0 || lf[-1] != '\r')
            return refuse_line(bytes, scan->start, why, "a line ends in a bare LF");
        scan->at = index + 1;
        if (line_is_last(scan, index)) {
            *end = scan->at;
            return HEAD_OK;
        }
        if (scan->empty_lines > LIMIT_LEADING_EMPTY_LINES)
            return refuse(why, "too many empty lines before the start line");
    }
    if (scan->start < bytes.len && bytes.at[scan->start] != '\r' &&
        !syntax_is(bytes.at[scan->start], BYTE_TCHAR))
        return refuse_line(bytes, scan->start, why, "the start line does not begin with a token");
    return HEAD_MORE;
}

/* ---- field lines -------------------------------------------------------------------------------
 */

/* What stands before the colon is no name. */
static enum head_result refuse_name(struct text line, const char **why)
{
    if (line.at[0] == ' ' || line.at[0] == '\t')
        return refuse(why, "a header line is folded or begins with a blank");
    if (!memchr(line.at, ':', line.len))
        return refuse(why, "a header line has no colon");
    return refuse(why, "a header name is empty or holds a byte that names may not have");
}

static enum head_result read_field(struct text line, struct head *head, const char **why)
{
    struct text name = { line.at, syntax_span(line, BYTE_TCHAR) };

    if (name.len == 0 || name.len == line.len || line.at[name.len] != ':')
        return refuse_name(line, why);
    struct text value = text_span(line.at + name.len + 1, line.at + line.len);
    if (!syntax_is_field(value))
        return refuse(why, "a header value holds a control byte");
    if (head->n_headers == LIMIT_HEADERS) {
        *why = "there are more than 128 header lines";
        return HEAD_TOO_LARGE;
    }
    enum header_id id = header_id_of(name);
    if (head->count[id]++ == 0)
        head->first[id] = (uint8_t)head->n_headers;
    head->headers[head->n_headers++] =
        (struct header){ .name = name, .value = text_trim(value), .id = (uint8_t)id };
    return HEAD_OK;
}

/* Cuts the line at its CRLF; the scan has seen that every LF follows a CR. */
static struct text take_line(struct text *rest)
{
    const char *lf = memchr(rest->at, '\n', rest->len);
    assert(lf && lf > rest->at && lf[-1] == '\r');
    struct text line = text_span(rest->at, lf - 1);

    *rest = text_span(lf + 1, rest->at + rest->len);
    return line;
}

static enum head_result read_fields(struct text rest, struct head *head, const char **why)
{
    for (;;) {
        struct text line = take_line(&rest);
        if (line.len == 0)
            return HEAD_OK;
        enum head_result result = read_field(line, head, why);
        if (result != HEAD_OK)
            return result;
    }
}

/* Marks what Connection names. Framing and Host are rebuilt by us, so naming them changes nothing.
 */
static enum head_result mark_nominated(struct head *head, const char **why)
{
    size_t n_options = 0;

    for (size_t i = 0; head->count[HEADER_CONNECTION] && i < head->n_headers; i++) {
        struct text list = head->headers[i].value, option;
        if (head->headers[i].id != HEADER_CONNECTION)
            continue;
        while (syntax_next_element(&list, &option)) {
            if (!syntax_all(option, BYTE_TCHAR))
                return refuse(why, "Connection holds something that is not a token");
            if (++n_options > LIMIT_CONNECTION_OPTIONS)
                return refuse(why, "Connection holds more than 32 options");
            for (size_t j = 0; j < head->n_headers; j++) {
                if (text_eq_nocase(head->headers[j].name, option))
                    head->headers[j].nominated = true;
            }
        }
    }
    return HEAD_OK;
}

/* ---- the second opinion: htparser ---- */

/* What htparser is shown: at most a start line, one Connection and one Content-Length. */
enum { CANONICAL_MAX = 160 };

static bool is_decimal(struct text value)
{
    return value.len <= LIMIT_LENGTH_DIGITS && syntax_all(value, BYTE_DIGIT);
}

static struct text connection_option(const struct head *head)
{
    if (!head->count[HEADER_CONNECTION])
        return TEXT_NONE;
    if (head_has_token(head, HEADER_CONNECTION, TEXT("close")))
        return TEXT("close");
    if (head_has_token(head, HEADER_CONNECTION, TEXT("keep-alive")))
        return TEXT("keep-alive");
    return TEXT_NONE;
}

static char *put(char *at, struct text piece)
{
    memcpy(at, piece.at, piece.len);
    return at + piece.len;
}

static char *put_field(char *at, struct text name, struct text value)
{
    return value.at ? put(put(put(at, name), value), TEXT("\r\n")) : at;
}

static bool htparser_agrees(htparser *parser, const struct head *head, htp_type type,
                            struct text stated)
{
    unsigned long long length = 0;

    if (htparser_get_error(parser) != htparse_error_none)
        return false;
    if (stated.at && (!text_to_uint(stated, UINT64_MAX, &length) ||
                      htparser_get_content_length(parser) != length))
        return false;
    if (type == htp_type_response && htparser_get_status(parser) != head->status)
        return false;
    return htparser_get_major(parser) == 1 && htparser_get_minor(parser) == head->minor;
}

static _Thread_local htparser *parser; /* reused by every head of this thread */

void head_thread_end(void)
{
    free(parser);
    parser = NULL;
}

static enum head_result run_htparser(struct head *head, htp_type type, struct text canonical,
                                     struct text stated, const char **why)
{
    static htparse_hooks no_hooks;

    if (!parser)
        parser = htparser_new();
    htparser_init(parser, type);
    if (htparser_run(parser, &no_hooks, canonical.at, canonical.len) != canonical.len ||
        !htparser_agrees(parser, head, type, stated))
        return refuse(why, "two parsers read this head differently");
    head->keep_alive = htparser_should_keep_alive(parser) != 0;
    return HEAD_OK;
}

/* The last canonical heads that both parsers agreed on: all that was compared stands in those bytes, so
 * the same bytes need not be asked about twice. */
struct agreed {
    size_t len;
    bool keep_alive;
    char bytes[CANONICAL_MAX];
};

/* `start` holds the start line; there is room behind it for the rest of the canonical head. */
static enum head_result ask_htparser(struct head *head, htp_type type, char *start, char *end,
                                     const char **why)
{
    static _Thread_local struct agreed agreed[2]; /* a request, a response */
    struct agreed *last = &agreed[type == htp_type_response];
    struct text stated = head_value(head, HEADER_CONTENT_LENGTH);

    if (stated.at && !is_decimal(stated))
        stated = TEXT_NONE; /* framing_of_*() refuses it with a better sentence */
    end = put_field(end, TEXT("Connection: "), connection_option(head));
    end = put_field(end, TEXT("Content-Length: "), stated);
    end = put(end, TEXT("\r\n"));
    struct text canonical = text_span(start, end);
    if (text_eq(canonical, (struct text){ last->bytes, last->len })) {
        head->keep_alive = last->keep_alive;
        return HEAD_OK;
    }
    memset(end, 0, 8); /* htparser may read one byte behind the end */
    if (run_htparser(head, type, canonical, stated, why) != HEAD_OK)
        return HEAD_BAD;
    last->len = canonical.len;
    last->keep_alive = head->keep_alive;
    memcpy(last->bytes, canonical.at, canonical.len);
    return HEAD_OK;
}

/* ---- start lines ---- */

static bool read_version(struct text version, unsigned *minor)
{
    if (version.len != 8 || memcmp(version.at, "HTTP/1.", 7) != 0 ||
        !syntax_is(version.at[7], BYTE_DIGIT))
        return false;
    *minor =
        version.at[7] == '0' ? 0 : 1; /* a higher minor version is read as ours (RFC 9110, 2.5) */
    return true;
}

static enum head_result read_request_line(struct text line, struct head *head, const char **why)
{
    const char *end = line.at + line.len;
    const char *first = memchr(line.at, ' ', line.len);
    const char *last = memrchr(line.at, ' ', line.len);

    if (!first || first == last)
        return refuse(why, "the request line is not METHOD TARGET HTTP/1.1");
    head->method = text_span(line.at, first);
    head->target = text_span(first + 1, last);
    if (!syntax_all(head->method, BYTE_TCHAR))
        return refuse(why, "the method is not a token");
    if (!read_version(text_span(last + 1, end), &head->minor))
        return refuse(why, "the version is not HTTP/1.0 or HTTP/1.1");
    if (head->target.len > LIMIT_TARGET_BYTES) {
        *why = "the request target is longer than 16 KiB";
        return HEAD_TARGET_TOO_LONG;
    }
    if (!syntax_all(head->target, BYTE_TARGET))
        return refuse(why, "the request target is empty or holds a blank, a control byte or a '#'");
    return HEAD_OK;
}

static enum head_result read_status_line(struct text line, struct head *head, const char **why)
{
    unsigned long long status;

    if (line.len < 12 || line.at[8] != ' ' ||
        !read_version((struct text){ line.at, 8 }, &head->minor))
        return refuse(why, "the status line is not HTTP/1.1 CODE REASON");
    if (!text_to_uint((struct text){ line.at + 9, 3 }, 599, &status) || status < 100)
        return refuse(why, "the status code is not between 100 and 599");
    if (line.len > 12 && line.at[12] != ' ')
        return refuse(why, "the status code does not have three digits");
    head->status = (unsigned)status;
    head->reason = line.len > 13 ? text_span(line.at + 13, line.at + line.len) : TEXT("");
    if (!syntax_is_field(head->reason))
        return refuse(why, "the reason phrase holds a control byte");
    return HEAD_OK;
}

/* ---- whole heads ---- */

static void head_reset(struct head *head, size_t length)
{
    memset(head, 0, offsetof(struct head, headers));
    head->length = length;
}

/* htparser knows methods of capital letters, and wants another target behind CONNECT. For the frame
 * of a message another name is as good. */
static struct text canonical_method(struct text method)
{
    if (text_eq(method, TEXT("CONNECT")))
        return TEXT("POST");
    for (size_t i = 0; i < method.len; i++) {
        if (method.at[i] < 'A' || method.at[i] > 'Z')
            return TEXT("POST");
    }
    return method.len <= 16 ? method : TEXT("POST");
}

enum head_result head_parse_request(struct text bytes, struct head *head, const char **why)
{
    struct text rest = bytes;
    char canonical[CANONICAL_MAX];
    enum head_result result;

    head_reset(head, bytes.len);
    if ((result = read_request_line(take_line(&rest), head, why)) != HEAD_OK ||
        (result = read_fields(rest, head, why)) != HEAD_OK ||
        (result = mark_nominated(head, why)) != HEAD_OK)
        return result;
    char *end = put(canonical, canonical_method(head->method));
    end = put(end, head->minor ? TEXT(" / HTTP/1.1\r\n") : TEXT(" / HTTP/1.0\r\n"));
    return ask_htparser(head, htp_type_request, canonical, end, why);
}

enum head_result head_parse_response(struct text bytes, struct head *head, const char **why)
{
    struct text rest = bytes;
    char canonical[CANONICAL_MAX];
    enum head_result result;

    head_reset(head, bytes.len);
    if ((result = read_status_line(take_line(&rest), head, why)) != HEAD_OK ||
        (result = read_fields(rest, head, why)) != HEAD_OK ||
        (result = mark_nominated(head, why)) != HEAD_OK)
        return result;
    if (head->status < 200)
        return HEAD_OK; /* htparser takes a 1xx for the final response; there is no framing to agree
                           on */
    char *end = put(canonical, head->minor ? TEXT("HTTP/1.1 ") : TEXT("HTTP/1.0 "));
    end = put(end, (struct text){ bytes.at + 9, 3 });
    end = put(end, TEXT(" R\r\n"));
    return ask_htparser(head, htp_type_response, canonical, end, why);
}

struct text head_value(const struct head *head, enum header_id id)
{
    return head->count[id] ? head->headers[head->first[id]].value : TEXT_NONE;
}

bool head_has_token(const struct head *head, enum header_id id, struct text token)
{
    for (size_t i = head->first[id]; head->count[id] && i < head->n_headers; i++) {
        struct text list = head->headers[i].value, element;
        while (head->headers[i].id == id && syntax_next_element(&list, &element)) {
            if (text_eq_nocase(element, token))
                return true;
        }
    }
    return false;
}
