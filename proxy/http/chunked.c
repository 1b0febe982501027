/*  SIZE --digits--> EXTENSION --CR--> SIZE_LF --LF--> DATA --left 0--> DATA_CR -> DATA_LF -> SIZE
 *                                         `--LF, size 0--> TRAILER --CR--> LAST_LF --LF--> DONE
 *                                                            ^ `-> NAME -:-> VALUE -CR-> LF -.
 *                                                            `-------------------------------' */
#include "proxy/http/chunked.h"

#include <string.h>

#include "proxy/http/syntax.h"
#include "proxy/limits.h"

enum { SIZE_DIGITS_MAX = 15 }; /* 60 bits: no sum of ours can wrap */

/* Blanks may stand before an extension or the line's end (RFC 9112, 7.1.1: BWS), and nowhere else. */
static enum chunked_state at_blank(char c)
{
    if (c == ' ' || c == '\t')
        return CHUNK_BLANK;
    if (c == '\r')
        return CHUNK_SIZE_LF;
    return c == ';' ? CHUNK_EXTENSION : CHUNK_BAD;
}

static enum chunked_state at_size(struct chunked *chunked, char c)
{
    int value = ascii_hex(c);

    if (value >= 0) {
        if (chunked->digits++ >= SIZE_DIGITS_MAX)
            return CHUNK_BAD;
        chunked->left = chunked->left << 4 | (unsigned)value;
        return CHUNK_SIZE;
    }
    if (chunked->digits == 0)
        return CHUNK_BAD;
    return at_blank(c);
}

/* Only what may stand in an extension passes, so that no reader can see a line end in it. */
static enum chunked_state at_extension(struct chunked *chunked, char c)
{
    if (chunked->escaped) {
        chunked->escaped = false;
        return syntax_is(c, BYTE_FIELD) ? CHUNK_EXTENSION : CHUNK_BAD;
    }
    if (chunked->quoted && c == '\\')
        chunked->escaped = true;
    if (c == '"')
        chunked->quoted = !chunked->quoted;
    if (c == '\r')
        return chunked->quoted ? CHUNK_BAD : CHUNK_SIZE_LF;
    return syntax_is(c, BYTE_FIELD) ? CHUNK_EXTENSION : CHUNK_BAD;
}

static enum chunked_state begin_data(struct chunked *chunked)
{
    chunked->line = 0;
    chunked->digits = 0;
    chunked->quoted = false;
    chunked->escaped = false;
    return chunked->left ? CHUNK_DATA : CHUNK_TRAILER;
}

static enum chunked_state at_trailer(enum chunked_state state, char c)
{
    if (state == CHUNK_TRAILER && c == '\r')
        return CHUNK_LAST_LF;
    if (state == CHUNK_TRAILER || (state == CHUNK_TRAILER_NAME && c != ':'))
        return syntax_is(c, BYTE_TCHAR) ? CHUNK_TRAILER_NAME : CHUNK_BAD;
    if (state == CHUNK_TRAILER_NAME)
        return CHUNK_TRAILER_VALUE;
    if (c == '\r')
        return CHUNK_TRAILER_LF;
    return syntax_is(c, BYTE_FIELD) ? CHUNK_TRAILER_VALUE : CHUNK_BAD;
}

static enum chunked_state expect(char c, char wanted, enum chunked_state next)
{
    return c == wanted ? next : CHUNK_BAD;
}

static enum chunked_state step(struct chunked *chunked, char c)
{
    enum chunked_state state = (enum chunked_state)chunked->state;

    switch (state) {
    case CHUNK_SIZE:
        return at_size(chunked, c);
    case CHUNK_BLANK:
        return at_blank(c);
    case CHUNK_EXTENSION:
        return at_extension(chunked, c);
    case CHUNK_SIZE_LF:
        return c == '\n' ? begin_data(chunked) : CHUNK_BAD;
    case CHUNK_DATA_CR:
        return expect(c, '\r', CHUNK_DATA_LF);
    case CHUNK_DATA_LF:
        return expect(c, '\n', CHUNK_SIZE);
    case CHUNK_TRAILER:
    case CHUNK_TRAILER_NAME:
    case CHUNK_TRAILER_VALUE:
        return at_trailer(state, c);
    case CHUNK_TRAILER_LF:
        return expect(c, '\n', CHUNK_TRAILER);
    case CHUNK_LAST_LF:
        return expect(c, '\n', CHUNK_DONE);
    case CHUNK_DATA:
    case CHUNK_DONE:
    case CHUNK_BAD:
        break;
    }
    return CHUNK_BAD;
}

static bool line_too_long(const struct chunked *chunked)
{
    return chunked->line >
           (chunked->state >= CHUNK_TRAILER ? LIMIT_TRAILER_BYTES : LIMIT_CHUNK_LINE_BYTES);
}

static size_t take_data(struct chunked *chunked, char *to, const char *from, size_t len)
{
    size_t n = chunked->left < len ? (size_t)chunked->left : len;

    if (to != from)
        memmove(to, from, n);
    chunked->left -= n;
    if (chunked->left == 0)
        chunked->state = CHUNK_DATA_CR;
    return n;
}

size_t chunked_skip(struct chunked *chunked, const char *bytes, size_t len)
{
    size_t at = 0;

    while (at < len && chunked->state < CHUNK_DONE && chunked->state != CHUNK_DATA) {
        chunked->line++;
        chunked->state = (uint8_t)step(chunked, bytes[at++]);
        if (chunked->state < CHUNK_DONE && line_too_long(chunked))
            chunked->state = CHUNK_BAD;
    }
    return at;
}

size_t chunked_decode(struct chunked *chunked, char *bytes, size_t len, size_t *content)
{
    size_t at = 0;

    *content = 0;
    while (at < len && chunked->state < CHUNK_DONE) {
        if (chunked->state == CHUNK_DATA) {
            size_t n = take_data(chunked, bytes + *content, bytes + at, len - at);
            *content += n;
            at += n;
        } else {
            at += chunked_skip(chunked, bytes + at, len - at);
        }
    }
    return at;
}
