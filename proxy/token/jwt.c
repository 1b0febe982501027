#include "proxy/token/jwt.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "proxy/limits.h"

struct parts {
    const char *first, *last; /* the dots; both NULL when there are not two */
};

static struct parts parts_of(struct text token)
{
    const char *first = memchr(token.at, '.', token.len);
    const char *last = memrchr(token.at, '.', token.len);

    if (!first || first == last || memchr(first + 1, '.', (size_t)(last - first - 1)))
        return (struct parts){ NULL, NULL };
    return (struct parts){ first, last };
}

/* base64url without padding (RFC 7515, section 2). `out` holds LIMIT_TOKEN_BYTES; its length, or -1. */
static int decode_payload(struct text token, unsigned char *out)
{
    char padded[LIMIT_TOKEN_BYTES + 4];
    struct parts parts = parts_of(token);

    if (!parts.first || token.len > LIMIT_TOKEN_BYTES)
        return -1;
    size_t len = (size_t)(parts.last - parts.first - 1), padding = (4 - len % 4) % 4;
    for (size_t i = 0; i < len; i++) {
        char c = parts.first[1 + i];
        padded[i] = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    memcpy(padded + len, "===", padding);
    int decoded = EVP_DecodeBlock(out, (const unsigned char *)padded, (int)(len + padding));
    OPENSSL_cleanse(padded, len);
    return decoded < 0 ? -1 : decoded - (int)padding;
}

json_t *jwt_claims(struct text token)
{
    unsigned char payload[LIMIT_TOKEN_BYTES + 4];
    int len = decode_payload(token, payload);
    json_t *claims = len > 0 ? json_loadb((const char *)payload, (size_t)len, 0, NULL) : NULL;

    if (len > 0)
        OPENSSL_cleanse(payload, (size_t)len);
    if (json_is_object(claims))
        return claims;
    json_decref(claims);
    return NULL;
}

static time_t time_of(double exp)
{
    static const double far = (double)(1LL << 53);

    return exp < 1 ? 1 : (time_t)(exp < far ? exp : far);
}

time_t jwt_expiry(struct text token)
{
    json_t *claims = jwt_claims(token);
    const json_t *exp = json_object_get(claims, "exp");
    time_t expires_at = json_is_number(exp) ? time_of(json_number_value(exp)) : 0;

    json_decref(claims);
    return expires_at;
}

static bool differs(const json_t *claims, const char *name, const char *ours, char *theirs,
                    size_t size)
{
    const char *value = json_string_value(json_object_get(claims, name));

    if (!value || !ours || strcmp(value, ours) == 0)
        return false;
    text_printable(text_of(value), theirs, size);
    return true;
}

const char *jwt_is_for_another(struct text token, const char *account, const char *workspace,
                               char *theirs, size_t size)
{
    json_t *claims = jwt_claims(token);
    const char *name = differs(claims, "account", account, theirs, size)       ? "account"
                       : differs(claims, "workspace", workspace, theirs, size) ? "workspace"
                                                                               : NULL;

    json_decref(claims);
    return name;
}

bool jwt_is_cut(struct text token)
{
    const char *first = memchr(token.at, '.', token.len);
    const char *last = memrchr(token.at, '.', token.len);

    return text_starts(token, TEXT("eyJ")) &&
           (!first || first == last || last + 1 == token.at + token.len);
}
