#include "proxy/grant_cache.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "config/memory.h"

enum { SECRET_BYTES = 32 };

struct row {
    TAILQ_ENTRY(row) used; /* the latest first */
    LIST_ENTRY(row) same;  /* of one bucket */
    struct grant_key key;
    uint64_t until_ms;
    struct grant_entry entry;
};

LIST_HEAD(bucket, row);
TAILQ_HEAD(rows, row);

struct grant_cache {
    unsigned char secret[SECRET_BYTES];
    size_t n, max, n_buckets;
    struct bucket *buckets;
    struct rows used;
    EVP_MAC_CTX *sum;
};

/* HMAC with SHA-256, to be given its key with each init. */
static EVP_MAC_CTX *new_sum(void)
{
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                OSSL_PARAM_construct_end() };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *sum = mac ? EVP_MAC_CTX_new(mac) : NULL;

    EVP_MAC_free(mac);
    if (!sum || EVP_MAC_CTX_set_params(sum, parameters) != 1)
        abort(); /* no TLS could work either */
    return sum;
}

struct grant_cache *grant_cache_new(size_t max)
{
    struct grant_cache *cache = mem_alloc(1, sizeof(*cache));

    if (RAND_bytes(cache->secret, sizeof(cache->secret)) != 1)
        abort(); /* no TLS could work either */
    cache->max = max;
    cache->n_buckets = max * 2;
    cache->buckets = mem_alloc(cache->n_buckets, sizeof(*cache->buckets));
    TAILQ_INIT(&cache->used);
    cache->sum = new_sum();
    return cache;
}

static void drop(struct grant_cache *cache, struct row *row)
{
    TAILQ_REMOVE(&cache->used, row, used);
    LIST_REMOVE(row, same);
    cache->n--;
    free(row);
}

void grant_cache_free(struct grant_cache *cache)
{
    struct row *row;

    if (!cache)
        return;
    for (size_t i = 0; i < cache->n_buckets; i++) {
        while ((row = LIST_FIRST(&cache->buckets[i]))) {
            LIST_REMOVE(row, same);
            free(row);
        }
    }
    OPENSSL_cleanse(cache->secret, sizeof(cache->secret));
    EVP_MAC_CTX_free(cache->sum);
    free(cache->buckets);
    free(cache);
}

/* Each part with its length before it, so that no two lists of parts are one text. */
static void put(EVP_MAC_CTX *sum, struct text part)
{
    uint64_t len = part.len;

    EVP_MAC_update(sum, (const unsigned char *)&len, sizeof(len));
    if (part.len)
        EVP_MAC_update(sum, (const unsigned char *)part.at, part.len);
}

struct grant_key grant_cache_key(const struct grant_cache *cache, struct text token,
                                 struct text product, struct text resource)
{
    struct grant_key key = { { 0 } };
    size_t len = 0;

    if (EVP_MAC_init(cache->sum, cache->secret, sizeof(cache->secret), NULL) != 1)
        abort();
    put(cache->sum, token);
    put(cache->sum, product);
    put(cache->sum, resource);
    if (EVP_MAC_final(cache->sum, key.bytes, &len, sizeof(key.bytes)) != 1 ||
        len != sizeof(key.bytes))
        abort(); /* keys that are not told apart would let everybody in */
    return key;
}

bool grant_key_equals(const struct grant_key *a, const struct grant_key *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static struct bucket *bucket_of(const struct grant_cache *cache, const struct grant_key *key)
{
    uint64_t number;

    memcpy(&number, key->bytes, sizeof(number));
    return &cache->buckets[number % cache->n_buckets];
}

static struct row *find(const struct grant_cache *cache, const struct grant_key *key)
{
    struct row *row;

    LIST_FOREACH(row, bucket_of(cache, key), same) {
        if (grant_key_equals(&row->key, key))
            return row;
    }
    return NULL;
}

const struct grant_entry *grant_cache_find(struct grant_cache *cache, const struct grant_key *key,
                                           uint64_t now_ms)
{
    struct row *row = find(cache, key);

    if (!row)
        return NULL;
    if (row->until_ms <= now_ms) {
        drop(cache, row);
        return NULL;
    }
    TAILQ_REMOVE(&cache->used, row, used);
    TAILQ_INSERT_HEAD(&cache->used, row, used);
    return &row->entry;
}

void grant_cache_put(struct grant_cache *cache, const struct grant_key *key, bool yes,
                     struct text user, uint64_t until_ms)
{
    struct row *row = find(cache, key);

    assert(user.len <= GRANT_USER_MAX);
    if (row)
        drop(cache, row);
    else if (cache->n == cache->max)
        drop(cache, TAILQ_LAST(&cache->used, rows));
    row = mem_alloc(1, sizeof(*row));
    row->key = *key;
    row->until_ms = until_ms;
    row->entry.yes = yes;
    if (user.len)
        memcpy(row->entry.user, user.at, user.len);
    TAILQ_INSERT_HEAD(&cache->used, row, used);
    LIST_INSERT_HEAD(bucket_of(cache, key), row, same);
    cache->n++;
}
