/* The chunked coding. First byte of the input: how it is cut into pieces. What must hold:
 *
 *   in pieces of any size the answer is the one for the whole
 *   it is what a second decoder says, which knows the grammar of RFC 9112, section 7.1, and looks at
 *   the whole at once; it may not refuse less than that, nor read more
 *   nothing behind the end is read, and the content is a part of what came */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/http/chunked.h"
#include "proxy/limits.h"

#define CHECK(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* ---- the second decoder: recursive descent over complete input ---- */

enum verdict { MORE, DONE, BAD };

struct reader {
    const unsigned char *at, *end;
    char *content;
    size_t n;
};

/* Cuts the next line at its CRLF. A bare LF or CR is no line end and no part of a line. */
static enum verdict take_line(struct reader *in, size_t max, const unsigned char **line,
                              size_t *len)
{
    const unsigned char *at = in->at;

    for (; at < in->end && *at != '\r' && *at != '\n'; at++) {
        if (*at != '\t' && (*at < 0x20 || *at == 0x7f))
            return BAD;
        if ((size_t)(at - in->at) > max)
            return BAD;
    }
    if (at == in->end)
        return MORE;
    if (*at == '\n' || (at + 1 < in->end && at[1] != '\n'))
        return BAD;
    if (at + 1 == in->end)
        return MORE;
    *line = in->at;
    *len = (size_t)(at - in->at);
    in->at = at + 2;
    return DONE;
}

static int digit_of(unsigned char c)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *found = c ? strchr(digits, c) : NULL;

    if (!found)
        return -1;
    return (int)(found - digits) < 16 ? (int)(found - digits) : (int)(found - digits) - 6;
}

static bool quotes_are_closed(const unsigned char *at, size_t len)
{
    bool quoted = false;

    for (size_t i = 0; i < len; i++) {
        if (quoted && at[i] == '\\') {
            if (++i == len)
                return false;
        } else if (at[i] == '"') {
            quoted = !quoted;
        }
    }
    return !quoted;
}

static bool read_size(const unsigned char *line, size_t len, uint64_t *size)
{
    size_t n = 0;

    *size = 0;
    for (; n < len && digit_of(line[n]) >= 0; n++)
        *size = *size * 16 + (unsigned)digit_of(line[n]);
    if (n == 0 || n > 15)
        return false;
    if (n < len && line[n] != ';' && line[n] != ' ' && line[n] != '\t')
        return false;
    return quotes_are_closed(line + n, len - n);
}

static bool is_trailer(const unsigned char *line, size_t len)
{
    const unsigned char *colon = memchr(line, ':', len);

    if (!colon || colon == line)
        return false;
    for (const unsigned char *at = line; at < colon; at++) {
        bool letter = (*at | 0x20) >= 'a' && (*at | 0x20) <= 'z';
        if (!letter && (*at < '0' || *at > '9') && (*at >= 0x80 || !strchr("!#$%&'*+-.^_`|~", *at)))
            return false;
    }
    return true;
}

static enum verdict read_trailers(struct reader *in)
{
    const unsigned char *line;
    size_t len;
    enum verdict verdict;

    while ((verdict = take_line(in, LIMIT_TRAILER_BYTES, &line, &len)) == DONE && len > 0) {
        if (!is_trailer(line, len))
            return BAD;
    }
    return verdict;
}

static enum verdict read_chunk(struct reader *in, uint64_t size)
{
    size_t there = (size_t)(in->end - in->at), n = size < there ? (size_t)size : there;

    memcpy(in->content + in->n, in->at, n);
    in->n += n;
    in->at += n;
    if (n < size || in->at == in->end)
        return MORE;
    if (in->at[0] != '\r' || (in->at + 1 < in->end && in->at[1] != '\n'))
        return BAD;
    if (in->at + 1 == in->end)
        return MORE;
    in->at += 2;
    return DONE;
}

static enum verdict read_all(struct reader *in)
{
    for (;;) {
        const unsigned char *line;
        uint64_t size;
        size_t len;
        enum verdict verdict = take_line(in, LIMIT_CHUNK_LINE_BYTES, &line, &len);

        if (verdict != DONE)
            return verdict;
        if (!read_size(line, len, &size))
            return BAD;
        if (size == 0)
            return read_trailers(in);
        if ((verdict = read_chunk(in, size)) != DONE)
            return verdict;
    }
}

/* ---- ours ---- */

static size_t decode_in_pieces(struct chunked *chunked, const unsigned char *data, size_t size,
                               unsigned seed, char *content, size_t *n_content)
{
    size_t at = 0;

    *n_content = 0;
    while (at < size && chunked->state < CHUNK_DONE) {
        size_t len = seed ? seed % 7 + 1 : size, n = 0;
        seed = seed ? seed * 1103515245 + 12345 : 0;
        seed = seed ? seed : 1;
        len = len < size - at ? len : size - at;
        char *piece = malloc(len);
        CHECK(piece != NULL);
        memcpy(piece, data + at, len);
        size_t read = chunked_decode(chunked, piece, len, &n);
        CHECK(read <= len && n <= read && (read == len || chunked->state >= CHUNK_DONE));
        memcpy(content + *n_content, piece, n);
        *n_content += n;
        at += read;
        free(piece);
    }
    return at;
}

static void check_against(const struct chunked *chunked, size_t read, size_t n,
                          const struct reader *in, enum verdict verdict, const unsigned char *data)
{
    if (chunked->state == CHUNK_DONE) {
        CHECK(verdict == DONE && in->at == data + read && in->n == n);
    } else if (chunked->state != CHUNK_BAD) {
        /* The second decoder sees an open quote only at the end of its line. */
        CHECK(verdict == MORE && in->n == n);
    } else {
        CHECK(verdict != DONE || in->at > data + read);
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct chunked whole = { 0 }, pieces = { 0 };
    size_t n_whole, n_pieces;

    if (size < 2 || size > 16 * 1024)
        return 0;
    unsigned seed = data[0] + 1U;
    data++;
    size--;
    char *contents = calloc(3, size);
    CHECK(contents != NULL);
    struct reader in = { .at = data, .end = data + size, .content = contents + 2 * size };
    size_t read = decode_in_pieces(&whole, data, size, 0, contents, &n_whole);
    size_t read_pieces = decode_in_pieces(&pieces, data, size, seed, contents + size, &n_pieces);
    CHECK(whole.state == pieces.state && read == read_pieces && n_whole == n_pieces);
    CHECK(memcmp(contents, contents + size, n_whole) == 0);
    enum verdict verdict = read_all(&in);
    check_against(&whole, read, n_whole, &in, verdict, data);
    if (whole.state != CHUNK_BAD)
        CHECK(memcmp(contents, in.content, n_whole) == 0);
    free(contents);
    return 0;
}
