#include "proxy/token/token.h"

#include <assert.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>

#include "proxy/limits.h"
#include "proxy/token/jwt.h"
#include "proxy/token/locked.h"

enum { FINGERPRINT_BYTES = 4, KEY_BYTES = 32 };

struct token {
    unsigned refs;
    unsigned generation;
    time_t expires_at;
    struct moment until; /* zero: not set */
    char fingerprint[2 * FINGERPRINT_BYTES + 1];
    size_t len;
    char bytes[];
};

/* VCHAR without what would end a cookie pair or a quoted string (RFC 6265, 4.1.1). */
static bool is_token_byte(char c)
{
    return c > ' ' && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\';
}

static unsigned char fingerprint_key[KEY_BYTES];

static void make_fingerprint_key(void)
{
    if (RAND_bytes(fingerprint_key, sizeof(fingerprint_key)) != 1)
        abort(); /* no TLS could work either */
}

static void write_fingerprint(struct token *token)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT; /* any thread may be the first */
    unsigned char digest[EVP_MAX_MD_SIZE];

    pthread_once(&once, make_fingerprint_key);
    HMAC(EVP_sha256(), fingerprint_key, KEY_BYTES, (const unsigned char *)token->bytes, token->len,
         digest, NULL);
    for (size_t i = 0; i < FINGERPRINT_BYTES; i++)
        snprintf(token->fingerprint + 2 * i, 3, "%02x", digest[i]);
}

static const char *problem_of(struct text value)
{
    if (value.len == 0)
        return "there is no token in it";
    if (value.len > LIMIT_TOKEN_BYTES)
        return "the token is longer than 16 KiB";
    for (size_t i = 0; i < value.len; i++) {
        if (!is_token_byte(value.at[i]))
            return "it holds a byte that a token cannot have (a blank, a quote, a line end "
                   "inside?)";
    }
    if (jwt_is_cut(value))
        return "it begins like a JWT and does not have a JWT's three parts; is it cut off?";
    return NULL;
}

struct token *token_new(struct text bytes, const char **why)
{
    struct text value = text_trim_lines(bytes);
    const char *problem = problem_of(value);

    if (problem) {
        *why = problem;
        return NULL;
    }
    struct token *token = locked_alloc(sizeof(*token) + value.len);
    token->refs = 1;
    token->len = value.len;
    token->expires_at = jwt_expiry(value);
    memcpy(token->bytes, value.at, value.len);
    write_fingerprint(token);
    return token;
}

/* ---- as sources write it ---- */

/* Seconds as a number, or as a number in quotes. False if it is neither. */
static bool read_expires(const json_t *expires, time_t *out)
{
    unsigned long long seconds;

    *out = 0;
    if (!expires || json_is_null(expires))
        return true;
    if (json_is_number(expires) && json_number_value(expires) >= 1 &&
        json_number_value(expires) < 9e15)
        *out = (time_t)json_number_value(expires);
    else if (json_is_string(expires) &&
             text_to_uint(text_of(json_string_value(expires)), 1ULL << 52, &seconds) && seconds)
        *out = (time_t)seconds;
    return *out != 0;
}

static struct token *from_object(const json_t *object, const char **why)
{
    const json_t *text = json_object_get(object, "token");
    struct token *token;
    time_t expires;

    *why = "the JSON object has no \"token\" that is a string";
    if (!json_is_string(text))
        return NULL;
    *why = "\"expires\" is not in seconds since 1970";
    if (!read_expires(json_object_get(object, "expires"), &expires))
        return NULL;
    token = token_new((struct text){ json_string_value(text), json_string_length(text) }, why);
    if (token)
        token_limit(token, expires);
    return token;
}

struct token *token_read(struct text bytes, const char **why)
{
    struct text value = text_trim_lines(bytes);
    struct token *token;
    json_t *object;

    if (!value.len || value.at[0] != '{')
        return token_new(bytes, why);
    object = json_loadb(value.at, value.len, JSON_REJECT_DUPLICATES, NULL);
    *why = "it begins like JSON and is none; is it cut off?";
    token = object ? from_object(object, why) : NULL;
    json_decref(object);
    return token;
}

/* ---- */

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
    if (--token->refs == 0)
        locked_free(token, sizeof(*token) + token->len);
}

struct token *token_copy(const struct token *token)
{
    struct token *copy = locked_alloc(sizeof(*copy) + token->len);

    memcpy(copy, token, sizeof(*copy) + token->len);
    copy->refs = 1;
    return copy;
}

struct text token_text(const struct token *token)
{
    return (struct text){ token->bytes, token->len };
}

bool token_equals(const struct token *a, const struct token *b)
{
    return a->len == b->len && CRYPTO_memcmp(a->bytes, b->bytes, a->len) == 0;
}

const char *token_fingerprint(const struct token *token)
{
    return token->fingerprint;
}

time_t token_expires_at(const struct token *token)
{
    return token->expires_at;
}

void token_limit(struct token *token, time_t expires_at)
{
    if (expires_at && (!token->expires_at || expires_at < token->expires_at))
        token->expires_at = expires_at;
}

void token_set_life(struct token *token, struct moment until)
{
    token->until = until;
}

void token_live_like(struct token *token, const struct token *other)
{
    token->until = other->until;
}

bool token_is_live(const struct token *token, struct moment now)
{
    if (token->until.boot_ms)
        return now.wall_ms < token->until.wall_ms && now.boot_ms < token->until.boot_ms;
    return token->expires_at == 0 || now.wall_ms / 1000 < token->expires_at;
}

unsigned token_generation(const struct token *token)
{
    return token->generation;
}

void token_set_generation(struct token *token, unsigned generation)
{
    token->generation = generation;
}
