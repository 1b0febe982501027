#include "proxy/http/framing.h"

#include "proxy/http/syntax.h"

static enum framing_result refuse(const char **why, const char *sentence)
{
    *why = sentence;
    return FRAMING_BAD;
}

static enum framing_result read_length(const struct head *head, struct framing *framing,
                                       const char **why)
{
    struct text value = head_value(head, HEADER_CONTENT_LENGTH);
    unsigned long long length;

    if (head->count[HEADER_CONTENT_LENGTH] > 1)
        return refuse(why, "Content-Length is there more than once");
    if (value.len > LIMIT_LENGTH_DIGITS || !syntax_all(value, BYTE_DIGIT) ||
        !text_to_uint(value, UINT64_MAX, &length))
        return refuse(why, "Content-Length is not a decimal number of at most 18 digits");
    framing->kind = length ? FRAMING_LENGTH : FRAMING_NONE;
    framing->length = length;
    return FRAMING_OK;
}

/* Exactly one coding, and it is chunked. With another coding before it the message still has an end
 * that we know, but we would have to understand that coding: 501. Otherwise nobody knows the end.
 */
static enum framing_result read_coding(const struct head *head, struct framing *framing,
                                       const char **why)
{
    struct text list = head_value(head, HEADER_TRANSFER_ENCODING), coding, last = TEXT_NONE;
    size_t n = 0;

    if (head->count[HEADER_TRANSFER_ENCODING] > 1)
        return refuse(why, "Transfer-Encoding is there more than once");
    if (head->count[HEADER_CONTENT_LENGTH] > 0)
        return refuse(why, "Content-Length and Transfer-Encoding contradict each other");
    if (head->minor == 0)
        return refuse(why, "HTTP/1.0 has no Transfer-Encoding");
    if (text_eq_nocase(list, TEXT("chunked"))) {
        framing->kind = FRAMING_CHUNKED;
        return FRAMING_OK;
    }
    for (; syntax_next_element(&list, &coding); n++) {
        if (!syntax_all(coding, BYTE_TCHAR) || text_eq_nocase(last, TEXT("chunked")))
            return refuse(why, "Transfer-Encoding does not end in one chunked");
        last = coding;
    }
    if (n < 2 || !text_eq_nocase(last, TEXT("chunked")))
        return refuse(why, "Transfer-Encoding does not end in one chunked");
    *why = "a transfer coding other than chunked is not supported";
    return FRAMING_UNKNOWN;
}

enum framing_result framing_of_request(const struct head *head, struct framing *framing,
                                       const char **why)
{
    *framing = (struct framing){ FRAMING_NONE, 0 };
    if (head->count[HEADER_TRANSFER_ENCODING])
        return read_coding(head, framing, why);
    if (head->count[HEADER_CONTENT_LENGTH])
        return read_length(head, framing, why);
    return FRAMING_OK;
}

enum framing_result framing_of_response(const struct head *head, bool to_head,
                                        struct framing *framing, const char **why)
{
    bool no_content = to_head || head->status == 204 || head->status == 304;
    enum framing_result result = FRAMING_OK;

    *framing = (struct framing){ FRAMING_UNTIL_CLOSE, 0 };
    if (head->count[HEADER_TRANSFER_ENCODING])
        result = read_coding(head, framing, why);
    else if (head->count[HEADER_CONTENT_LENGTH])
        result = read_length(head, framing, why);
    if (result == FRAMING_OK && no_content)
        framing->kind = FRAMING_NONE; /* `length` stays: what the content would have been */
    return result;
}
