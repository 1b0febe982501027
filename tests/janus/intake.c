#include "tests/janus/intake.h"

#include "config/memory.h"

/* The length of the head with its empty line, 0 if its end has not come. Bytes that were looked at
 * are not looked at again, however slowly a head drips in. */
static size_t head_length(struct intake *intake, struct evbuffer *input)
{
    struct evbuffer_ptr start, end;
    size_t have = evbuffer_get_length(input);

    if (have < 4)
        return 0;
    evbuffer_ptr_set(input, &start, intake->scanned, EVBUFFER_PTR_SET);
    end = evbuffer_search(input, "\r\n\r\n", 4, &start);
    intake->scanned = have - 3;
    return end.pos < 0 ? 0 : (size_t)end.pos + 4;
}

struct text intake_head(struct intake *intake, struct evbuffer *input)
{
    size_t len = head_length(intake, input);
    char *raw;

    if (len == 0 && evbuffer_get_length(input) <= HEAD_BYTES_MAX)
        return TEXT_NONE;
    if (len == 0 || len > HEAD_BYTES_MAX)
        len = HEAD_BYTES_MAX;
    raw = mem_alloc(len + 1, 1);
    evbuffer_remove(input, raw, len);
    intake->scanned = 0;
    return (struct text){ raw, len };
}

void intake_start_body(struct intake *intake, const struct head *head)
{
    intake->chunked = (struct chunked){ 0 };
    intake->left = head->length;
}

static bool take_counted(struct intake *intake, struct text *span, struct arrival *arrival)
{
    struct text piece = *span;

    if (piece.len > intake->left)
        piece.len = (size_t)intake->left;
    arrival_add_body(arrival, piece);
    intake->left -= piece.len;
    *span = (struct text){ span->at + piece.len, span->len - piece.len };
    return intake->left == 0;
}

static bool take_chunks(struct intake *intake, struct text *span, struct arrival *arrival)
{
    struct text data;
    enum chunked_result result;

    while ((result = chunked_take(&intake->chunked, span, &data)) == CHUNKED_DATA)
        arrival_add_body(arrival, data);
    if (result == CHUNKED_FAULT)
        arrival->fault = "malformed chunk";
    return result != CHUNKED_MORE;
}

bool intake_body(struct intake *intake, struct evbuffer *input, struct arrival *arrival)
{
    bool ended = false;

    while (!ended && evbuffer_get_length(input) > 0) {
        size_t n = evbuffer_get_contiguous_space(input);
        struct text span = { (const char *)evbuffer_pullup(input, (ev_ssize_t)n), n };

        ended = arrival->head.chunked ? take_chunks(intake, &span, arrival)
                                      : take_counted(intake, &span, arrival);
        evbuffer_drain(input, n - span.len);
    }
    return ended;
}
