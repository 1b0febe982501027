#include "tests/janus/chunked.h"

/*   SIZE --ext--> EXTENSION --CR--> SIZE_LF --> DATA --> DATA_CR --> DATA_LF --> SIZE
 *     `-----CR------------------------^ `- size 0 -> TRAILER <--LF-- TRAILER_LF
 *                                                     `-- empty line --> END_LF --> end */
enum {
    SIZE,
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER,
    TRAILER_LINE,
    TRAILER_LF,
    END_LF,
    BROKEN
};

enum { SIZE_DIGITS_MAX = 15, EXTENSION_MAX = 4096, TRAILER_MAX = 16 * 1024 };

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int on_size(struct chunked *c, char ch)
{
    int value = digit(ch);

    if (value >= 0) {
        if (++c->digits > SIZE_DIGITS_MAX)
            return BROKEN;
        c->left = c->left << 4 | (unsigned)value;
        return SIZE;
    }
    if (c->digits == 0)
        return BROKEN;
    c->line = 0;
    if (ch == '\r')
        return SIZE_LF;
    return ch == ';' || ch == ' ' || ch == '\t' ? EXTENSION : BROKEN;
}

static int on_extension(struct chunked *c, char ch)
{
    if (ch == '\r')
        return SIZE_LF;
    return ch == '\n' || ++c->line > EXTENSION_MAX ? BROKEN : EXTENSION;
}

static int on_trailer(struct chunked *c, char ch, bool at_start)
{
    if (ch == '\n' || ++c->trailer_bytes > TRAILER_MAX)
        return BROKEN;
    if (ch == '\r')
        return at_start ? END_LF : TRAILER_LF;
    return TRAILER_LINE;
}

static int on_byte(struct chunked *c, char ch)
{
    switch (c->state) {
    case SIZE:
        return on_size(c, ch);
    case EXTENSION:
        return on_extension(c, ch);
    case SIZE_LF:
        return ch != '\n' ? BROKEN : c->left > 0 ? DATA : TRAILER;
    case DATA_CR:
        return ch == '\r' ? DATA_LF : BROKEN;
    case DATA_LF:
        c->digits = 0;
        return ch == '\n' ? SIZE : BROKEN;
    case TRAILER:
        return on_trailer(c, ch, true);
    case TRAILER_LINE:
        return on_trailer(c, ch, false);
    case TRAILER_LF:
        return ch == '\n' ? TRAILER : BROKEN;
    default:
        return BROKEN;
    }
}

enum chunked_result chunked_take(struct chunked *c, struct text *input, struct text *data)
{
    while (input->len > 0) {
        if (c->state == DATA) {
            size_t n = input->len < c->left ? input->len : (size_t)c->left;

            *data = (struct text){ input->at, n };
            *input = (struct text){ input->at + n, input->len - n };
            c->left -= n;
            if (c->left == 0)
                c->state = DATA_CR;
            return CHUNKED_DATA;
        }
        char ch = *input->at++;

        input->len--;
        if (c->state == END_LF)
            return ch == '\n' ? CHUNKED_END : CHUNKED_FAULT;
        c->state = on_byte(c, ch);
        if (c->state == BROKEN)
            return CHUNKED_FAULT;
    }
    return CHUNKED_MORE;
}
