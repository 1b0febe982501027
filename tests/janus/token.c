#include "tests/janus/token.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

#include <openssl/ecdsa.h>
#include <openssl/rand.h>

#include "config/memory.h"
#include "tests/janus/file.h"
#include "tests/janus/sim.h"

enum { BUCKETS = 4096, SCALAR_BYTES = 32 };

struct place {
    struct minted token;
    LIST_ENTRY(place) link; /* in its bucket, while token.text is there */
};

struct tokens {
    const struct options *options;
    EVP_PKEY *key;
    char kid[41];
    struct place ring[TOKENS_MAX];
    LIST_HEAD(, place) buckets[BUCKETS]; /* by the token's text */
    size_t next;
    char *current; /* text of the newest app token, borrowed from the ring */
    unsigned long newest;
    unsigned long revoked[N_TOKEN_KINDS]; /* up to this serial */
    unsigned long lag_after;              /* tokens behind this serial come late */
    long lag_ms;
};

static void random_hex(char *out, size_t digits)
{
    for (size_t i = 0; i < digits; i += 2) {
        unsigned char byte = 0;

        RAND_bytes(&byte, 1);
        snprintf(out + i, 3, "%02X", byte);
    }
}

static char *base64url(const void *bytes, size_t len)
{
    char *out = mem_alloc(4 * (len / 3 + 1) + 1, 1);
    int n = EVP_EncodeBlock((unsigned char *)out, bytes, (int)len);

    while (n > 0 && out[n - 1] == '=')
        out[--n] = '\0';
    for (char *c = out; *c; c++)
        *c = (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c);
    return out;
}

static char *encode_json(json_t *json)
{
    char *plain = json_dumps(json, JSON_COMPACT);
    char *encoded = base64url(plain, strlen(plain));

    json_decref(json);
    free(plain);
    return encoded;
}

/* JWS wants the two numbers side by side, OpenSSL gives them in DER. */
static bool signature_raw(const unsigned char *der, size_t len, unsigned char raw[2 * SCALAR_BYTES])
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);

    if (!pair)
        return false;
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, SCALAR_BYTES);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + SCALAR_BYTES, SCALAR_BYTES);
    ECDSA_SIG_free(pair);
    return true;
}

static char *sign(EVP_PKEY *key, const char *what)
{
    unsigned char der[128], raw[2 * SCALAR_BYTES] = { 0 };
    size_t len = sizeof(der);
    EVP_MD_CTX *digest = EVP_MD_CTX_new();

    if (!digest || EVP_DigestSignInit(digest, NULL, EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestSign(digest, der, &len, (const unsigned char *)what, strlen(what)) != 1 ||
        !signature_raw(der, len, raw))
        abort(); /* a key of our own that does not sign */
    EVP_MD_CTX_free(digest);
    return base64url(raw, sizeof(raw));
}

static json_t *app_claims(const struct options *o, time_t now, time_t expires)
{
    json_t *claims = json_pack("{ssssssss}", "account", o->account, "workspace", o->workspace,
                               "sub", o->app_id, "type", "link");

    json_object_set_new(claims, "userId", json_sprintf("link:%s", o->app_id));
    json_object_set_new(claims, "userLogin", json_sprintf("link:%s", o->app_id));
    json_object_set_new(claims, "roles", json_pack("[o]", json_sprintf("link:%s", o->app_id)));
    json_object_set_new(claims, "nbf", json_integer((json_int_t)now));
    json_object_set_new(claims, "exp", json_integer((json_int_t)expires));
    json_object_set_new(claims, "iat", json_integer((json_int_t)now));
    json_object_set_new(claims, "iss", json_string("vtexio/router"));
    json_object_set_new(claims, "aud", json_string("vtexio"));
    return claims;
}

static json_t *user_claims(const struct tokens *tokens, const struct minted *token, time_t now)
{
    json_t *claims = json_pack("{ssssss}", "sub", token->user, "account", tokens->options->account,
                               "audience", token->kind == TOKEN_ADMIN ? "admin" : "webstore");

    json_object_set_new(claims, "sess", json_string("7b2a6a51-5f1c-4a55-9d0c-1f9f1a0c7e11"));
    json_object_set_new(claims, "exp", json_integer((json_int_t)token->expires));
    json_object_set_new(claims, "userId", json_string("0f2b1c3d-6e2f-4f6a-8f0e-2c1d3b4a5968"));
    json_object_set_new(claims, "iat", json_integer((json_int_t)now));
    json_object_set_new(claims, "iss", json_string("token-emitter"));
    return claims;
}

static char *write_token(struct tokens *tokens, const struct minted *token, time_t now)
{
    bool app = token->kind == TOKEN_APP;
    json_t *claims =
        app ? app_claims(tokens->options, now, token->expires) : user_claims(tokens, token, now);
    char id[33], *header, *body, *input = NULL, *signature, *text = NULL;

    random_hex(id, 32); /* two tokens of the same second differ */
    json_object_set_new(claims, "jti", json_string(id));
    header = encode_json(
        json_pack("{ssssss}", "alg", "ES256", "kid", tokens->kid, "typ", app ? "JWT" : "jwt"));
    body = encode_json(claims);
    if (asprintf(&input, "%s.%s", header, body) < 0)
        abort();
    signature = sign(tokens->key, input);
    if (asprintf(&text, "%s.%s", input, signature) < 0)
        abort();
    free(header);
    free(body);
    free(input);
    free(signature);
    return text;
}

/* --- the ring --- */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* FNV-1a of the end, which is signature and differs most. */
static size_t bucket_of(struct text token)
{
    size_t from = token.len > 16 ? token.len - 16 : 0;
    uint32_t hash = 2166136261u;

    for (size_t i = from; i < token.len; i++)
        hash = (hash ^ (unsigned char)token.at[i]) * 16777619u;
    return hash % BUCKETS;
}

/* The newest app token stays, however many others are minted. */
static struct place *free_place(struct tokens *tokens)
{
    struct place *place;

    do {
        place = &tokens->ring[tokens->next];
        tokens->next = (tokens->next + 1) % TOKENS_MAX;
    } while (place->token.text && place->token.text == tokens->current);
    if (place->token.text)
        LIST_REMOVE(place, link);
    free(place->token.text);
    return place;
}

const struct minted *tokens_mint(struct tokens *tokens, enum token_kind kind, const char *user,
                                 long life_s)
{
    struct place *place = free_place(tokens);
    struct minted *token = &place->token;
    time_t now = time(NULL);

    *token = (struct minted){
        .kind = kind, .expires = now + life_s, .serial = ++tokens->newest, .minted_ms = now_ms()
    };
    snprintf(token->user, sizeof(token->user), "%s", user);
    token->text = write_token(tokens, token, now);
    LIST_INSERT_HEAD(&tokens->buckets[bucket_of(text_of(token->text))], place, link);
    return token;
}

void tokens_set_account(const struct minted *token, const char *account)
{
    struct minted *changed = (struct minted *)(uintptr_t)token;

    snprintf(changed->account, sizeof(changed->account), "%s", account);
}

const struct minted *tokens_rotate(struct tokens *tokens, bool revoke)
{
    const struct options *o = tokens->options;
    const struct minted *token;

    if (revoke)
        tokens->revoked[TOKEN_APP] = tokens->newest;
    token = tokens_mint(tokens, TOKEN_APP, o->app_id, o->token_life_s);
    tokens->current = token->text;
    if (o->token_out && !replace_file(o->token_out, 0600, token->text, strlen(token->text))) {
        fprintf(stderr, "janus-sim: cannot write %s: %s\n", o->token_out, strerror(errno));
        return NULL;
    }
    return token;
}

unsigned long tokens_newest(const struct tokens *tokens)
{
    return tokens->newest;
}

void tokens_revoke(struct tokens *tokens, unsigned long upto)
{
    for (size_t kind = 0; kind < N_TOKEN_KINDS; kind++)
        if (tokens->revoked[kind] < upto)
            tokens->revoked[kind] = upto;
}

void tokens_lag(struct tokens *tokens, long ms)
{
    tokens->lag_ms = ms;
    tokens->lag_after = tokens->newest;
}

const struct minted *tokens_find(const struct tokens *tokens, struct text token)
{
    const struct place *place;

    LIST_FOREACH(place, &tokens->buckets[bucket_of(token)], link)
        if (text_eq(text_of(place->token.text), token))
            return &place->token;
    return NULL;
}

/* Whether this node has heard of it. */
static bool has_come(const struct tokens *tokens, const struct minted *token)
{
    return tokens->lag_ms == 0 || token->serial <= tokens->lag_after ||
           now_ms() - token->minted_ms >= tokens->lag_ms;
}

const struct minted *tokens_live(const struct tokens *tokens, struct text token)
{
    const struct minted *one = tokens_find(tokens, token);

    return one && one->serial > tokens->revoked[one->kind] && has_come(tokens, one) &&
                   one->expires > time(NULL)
               ? one
               : NULL;
}

struct tokens *tokens_new(const struct options *options)
{
    struct tokens *tokens = mem_alloc(1, sizeof(*tokens));

    tokens->options = options;
    tokens->key = EVP_EC_gen("P-256");
    random_hex(tokens->kid, 40);
    if (!tokens->key || !tokens_rotate(tokens, false)) {
        tokens_free(tokens);
        return NULL;
    }
    return tokens;
}

void tokens_free(struct tokens *tokens)
{
    if (!tokens)
        return;
    for (size_t i = 0; i < TOKENS_MAX; i++)
        free(tokens->ring[i].token.text);
    EVP_PKEY_free(tokens->key);
    free(tokens);
}
