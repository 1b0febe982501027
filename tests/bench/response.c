#include "tests/bench/response.h"

#include <stdlib.h>
#include <string.h>

static enum response_result finish(struct response *response)
{
    *response = (struct response){ .bytes = response->bytes };
    return RESPONSE_DONE;
}

static enum response_result read_head(struct response *response)
{
    const char *length = strcasestr(response->line, "\r\ncontent-length:");

    if (strncmp(response->line, "HTTP/1.1 200", 12) != 0)
        return RESPONSE_BAD;
    response->bytes = 0;
    response->line_len = 0;
    if (length) {
        response->state = RESPONSE_LENGTH;
        response->left = response->bytes = strtoull(length + 17, NULL, 10);
        return response->left ? RESPONSE_MORE : finish(response);
    }
    if (!strcasestr(response->line, "\r\ntransfer-encoding: chunked"))
        return RESPONSE_BAD;
    response->state = RESPONSE_CHUNK_LINE;
    return RESPONSE_MORE;
}

static enum response_result read_chunk_line(struct response *response)
{
    response->left = strtoull(response->line, NULL, 16);
    response->line_len = 0;
    response->bytes += response->left;
    if (response->last_chunk)
        return finish(response);
    response->last_chunk = response->left == 0;
    if (response->left) {
        response->left += 2;
        response->state = RESPONSE_CHUNK;
    }
    return RESPONSE_MORE;
}

/* Collects up to `end`; true when it is there. */
static bool collect(struct response *response, const char **bytes, size_t *n, const char *end)
{
    size_t end_len = strlen(end);

    while (*n && response->line_len < sizeof response->line - 1) {
        response->line[response->line_len++] = *(*bytes)++;
        (*n)--;
        if (response->line_len >= end_len &&
            memcmp(response->line + response->line_len - end_len, end, end_len) == 0) {
            response->line[response->line_len] = '\0';
            return true;
        }
    }
    return false;
}

enum response_result response_skip(struct response *response, uint64_t n)
{
    response->left -= n;
    if (response->left)
        return RESPONSE_MORE;
    if (response->state == RESPONSE_LENGTH)
        return finish(response);
    response->state = RESPONSE_CHUNK_LINE;
    return RESPONSE_MORE;
}

enum response_result response_take(struct response *response, const char *bytes, size_t n)
{
    enum response_result result = RESPONSE_MORE;

    while (n && result == RESPONSE_MORE) {
        if (response->state == RESPONSE_LENGTH || response->state == RESPONSE_CHUNK) {
            size_t some = response->left < n ? (size_t)response->left : n;
            bytes += some;
            n -= some;
            result = response_skip(response, some);
        } else if (response->state == RESPONSE_HEAD) {
            if (collect(response, &bytes, &n, "\r\n\r\n"))
                result = read_head(response);
        } else if (collect(response, &bytes, &n, "\r\n")) {
            result = read_chunk_line(response);
        }
        if (n && response->line_len == sizeof response->line - 1)
            return RESPONSE_BAD;
    }
    return n ? RESPONSE_BAD : result; /* nobody asked for what comes behind a response */
}
