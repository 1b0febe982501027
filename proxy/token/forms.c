#include "proxy/token/forms.h"

#include <assert.h>
#include <stdint.h>

#include "proxy/token/locked.h"

/* ---- what encoders write ---- */

/* Letters and digits are never escaped. `set` is the punctuation that percent-encoding keeps, and
 * that JSON escapes. */
static const struct encoder {
    bool json;
    const char *set;
    bool upper; /* hex digits */
    bool slash; /* JSON: \/ */
} encoders[] = {
    { .set = "-._~", .upper = true }, /* RFC 3986, 2.3 */
    { .set = "-._~", .upper = false },
    { .set = "-._~!*'()", .upper = true }, /* encodeURIComponent */
    { .set = "-._~!*'()", .upper = false },
    { .set = "-._~!*'();,/?:@&=+$#", .upper = true }, /* encodeURI */
    { .set = "-._~!*'();,/?:@&=+$#", .upper = false },
    { .set = "*-._", .upper = true }, /* application/x-www-form-urlencoded */
    { .set = "*-._", .upper = false },
    { .set = "-._~/", .upper = true }, /* Python's quote() */
    { .set = "-._~/", .upper = false },
    { .set = "",
      .upper = true }, /* Swift's .alphanumerics, the gsub of Lua and Perl: a JWT's, too */
    { .set = "", .upper = false },
    { .json = true, .set = "", .slash = true },                    /* PHP */
    { .json = true, .set = "<>&" },                                /* Go, Rails */
    { .json = true, .set = "<>&='" },                              /* Gson */
    { .json = true, .set = "<>&'+`", .upper = true },              /* System.Text.Json */
    { .json = true, .set = "<>&'", .upper = true, .slash = true }, /* PHP, JSON_HEX_* */
    { .json = true, .set = "<>&'`+=/", .upper = true },
    { .json = true, .set = "<>&'`+=/", .upper = false },
};

enum { FIRST_SIZE = 8192 };

static bool is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

static char *put_hex(char *at, unsigned char c, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";

    *at++ = digits[c >> 4];
    *at++ = digits[c & 15];
    return at;
}

static char *put_byte(const struct encoder *encoder, char *at, char c)
{
    bool in_set = strchr(encoder->set, c) && c;

    if (is_alphanumeric(c) || in_set != encoder->json) {
        if (encoder->slash && c == '/')
            *at++ = '\\';
        *at++ = c;
        return at;
    }
    memcpy(at, encoder->json ? "\\u00" : "%", encoder->json ? 4 : 1);
    return put_hex(at + (encoder->json ? 4 : 1), (unsigned char)c, encoder->upper);
}

static size_t encode(const struct encoder *encoder, struct text token, char *out)
{
    char *at = out;

    for (size_t i = 0; i < token.len; i++)
        at = put_byte(encoder, at, token.at[i]);
    return (size_t)(at - out);
}

/* ---- base64 ---- */

static const char alphabets[2][65] = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

/* `before` bytes of something else stand before the token in its group of three. Only characters
 * that hold bits of the token alone are written. */
static size_t encode_base64(struct text token, size_t before, const char *alphabet, char *out)
{
    size_t first = (before * 8 + 5) / 6, end = (before + token.len) * 8 / 6;

    for (size_t i = first; i < end; i++) {
        size_t bit = i * 6 - before * 8, byte = bit / 8;
        unsigned pair = (unsigned)(unsigned char)token.at[byte] << 8;
        if (byte + 1 < token.len)
            pair |= (unsigned char)token.at[byte + 1];
        out[i - first] = alphabet[pair >> (10 - bit % 8) & 63];
    }
    return end - first;
}

/* ---- the set ---- */

static void make_room(struct forms *forms, size_t n)
{
    size_t size = forms->size ? forms->size : FIRST_SIZE;

    if (n <= forms->size - forms->len)
        return;
    while (size < forms->len + n)
        size *= 2;
    char *bytes = locked_alloc(size);
    for (size_t i = 0; i < forms->n; i++)
        forms->items[i].at = bytes + (forms->items[i].at - forms->bytes);
    if (forms->len)
        memcpy(bytes, forms->bytes, forms->len);
    locked_free(forms->bytes, forms->size);
    forms->bytes = bytes;
    forms->size = size;
}

static void add(struct forms *forms, struct text form)
{
    for (size_t i = 0; i < forms->n; i++) {
        if (text_eq(forms->items[i], form))
            return;
    }
    assert(forms->n < FORMS_MAX && form.len >= FORM_TOKEN_MIN);
    make_room(forms, form.len);
    char *copy = memcpy(forms->bytes + forms->len, form.at, form.len);
    forms->len += form.len;
    forms->items[forms->n++] = (struct text){ copy, form.len };
}

void forms_add(struct forms *forms, struct text token)
{
    size_t size = token.len * FORM_BYTES_MAX;

    if (token.len < FORM_TOKEN_MIN)
        return;
    char *form = locked_alloc(size);
    add(forms, token);
    for (size_t i = 0; i < sizeof(encoders) / sizeof(encoders[0]); i++)
        add(forms, (struct text){ form, encode(&encoders[i], token, form) });
    for (size_t i = 0; i < 6; i++)
        add(forms, (struct text){ form, encode_base64(token, i / 2, alphabets[i % 2], form) });
    locked_free(form, size);
}

void forms_fini(struct forms *forms)
{
    locked_free(forms->bytes, forms->size);
    *forms = (struct forms){ .n = 0 };
}
