#include "proxy/token/token.h"

#include <assert.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/limits.h"

struct token {
    unsigned refs;
    unsigned generation;
    time_t expires_at;
    size_t len;
    char bytes[];
};

/* VCHAR without what would end a cookie pair or a quoted string (RFC 6265, 4.1.1). */
static bool is_token_byte(char c)
{
    return c > ' ' && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\';
}

static struct text trim_line_ends(struct text bytes)
{
    while (bytes.len && strchr(" \t\r\n", bytes.at[bytes.len - 1]) && bytes.at[bytes.len - 1])
        bytes.len--;
    while (bytes.len && strchr(" \t\r\n", bytes.at[0]) && bytes.at[0])
        bytes = (struct text){ bytes.at + 1, bytes.len - 1 };
    return bytes;
}

/* The payload of a JWT (RFC 7519): base64url without padding. `out` holds LIMIT_TOKEN_BYTES. */
static int decode_payload(struct text token, unsigned char *out)
{
    char padded[LIMIT_TOKEN_BYTES + 4];
    const char *first = memchr(token.at, '.', token.len);
    const char *last = memrchr(token.at, '.', token.len);

    if (!first || first == last || memchr(first + 1, '.', (size_t)(last - first - 1)))
        return -1;
    size_t len = (size_t)(last - first - 1), n = 0;
    for (; n < len; n++)
        padded[n] = first[1 + n] == '-' ? '+' : first[1 + n] == '_' ? '/' : first[1 + n];
    size_t padding = (4 - n % 4) % 4;
    memcpy(padded + n, "===", padding);
    int decoded = EVP_DecodeBlock(out, (const unsigned char *)padded, (int)(n + padding));
    OPENSSL_cleanse(padded, sizeof(padded));
    return decoded < 0 ? -1 : decoded - (int)padding;
}

/* 0 is kept for "it does not say": an exp of 0 is a second past, and what no clock can show is far
 * away. */
static time_t time_of(double exp)
{
    static const double far = (double)(1LL << 53);

    return exp < 1 ? 1 : (time_t)(exp < far ? exp : far);
}

/* 0 when the token is opaque or says nothing. */
static time_t expiry_of(struct text token)
{
    unsigned char payload[LIMIT_TOKEN_BYTES + 4];
    int len = decode_payload(token, payload);
    json_t *claims = len > 0 ? json_loadb((const char *)payload, (size_t)len, 0, NULL) : NULL;
    const json_t *exp = json_object_get(claims, "exp");
    time_t expires_at = json_is_number(exp) ? time_of(json_number_value(exp)) : 0;

    OPENSSL_cleanse(payload, sizeof(payload));
    json_decref(claims);
    return expires_at;
}

/* The front part of a JWT must not pass for an opaque token that never expires. */
static bool is_cut_jwt(struct text token)
{
    const char *first = memchr(token.at, '.', token.len);
    const char *last = memrchr(token.at, '.', token.len);

    return text_starts(token, TEXT("eyJ")) &&
           (!first || first == last || last + 1 == token.at + token.len);
}

struct token *token_new(struct text bytes, const char **why)
{
    struct text value = trim_line_ends(bytes);

    if (value.len == 0 || value.len > LIMIT_TOKEN_BYTES) {
        *why = value.len ? "the token is longer than 8 KiB" : "there is no token in it";
        return NULL;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (!is_token_byte(value.at[i])) {
            *why =
                "it holds a byte that a token cannot have (a blank, a quote, a line end inside?)";
            return NULL;
        }
    }
    if (is_cut_jwt(value)) {
        *why = "it begins like a JWT and does not have a JWT's three parts; is it cut off?";
        return NULL;
    }
    struct token *token = mem_alloc(1, sizeof(*token) + value.len);
    token->refs = 1;
    token->len = value.len;
    token->expires_at = expiry_of(value);
    memcpy(token->bytes, value.at, value.len);
    return token;
}

struct token *token_ref(struct token *token)
{
    token->refs++;
    return token;
}

void token_unref(struct token *token)
{
    if (!token)
        return;
    assert(token->refs > 0);
    if (--token->refs == 0) {
        OPENSSL_cleanse(token->bytes, token->len);
        free(token);
    }
}

struct text token_text(const struct token *token)
{
    return (struct text){ token->bytes, token->len };
}

bool token_equals(const struct token *a, const struct token *b)
{
    return a->len == b->len && CRYPTO_memcmp(a->bytes, b->bytes, a->len) == 0;
}

time_t token_expires_at(const struct token *token)
{
    return token->expires_at;
}

bool token_is_live(const struct token *token, time_t now)
{
    return token->expires_at == 0 || now < token->expires_at;
}

unsigned token_generation(const struct token *token)
{
    return token->generation;
}

void token_set_generation(struct token *token, unsigned generation)
{
    token->generation = generation;
}
