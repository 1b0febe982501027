/* proxy/grant_cache.h - what VTEX has answered lately: bounded, and for a short time only.
 *
 * Keyed by an HMAC of the token and what was asked about it, under a key that lives as long as the process:
 * no token stands here, and nothing that one could be found out from. The one used least lately goes first. */
#ifndef PROXY_GRANT_CACHE_H
#define PROXY_GRANT_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/text.h"

struct grant_cache;

enum { GRANT_KEY_BYTES = 32, GRANT_USER_MAX = 255 };

struct grant_key {
    unsigned char bytes[GRANT_KEY_BYTES];
};

struct grant_entry {
    bool yes;
    char user[GRANT_USER_MAX + 1]; /* of a token that is somebody's */
};

struct grant_cache *grant_cache_new(size_t max);
void grant_cache_free(struct grant_cache *cache);

/* Whose token it is: without codes. What is granted to it: with both. */
struct grant_key grant_cache_key(const struct grant_cache *cache, struct text token,
                                 struct text product, struct text resource);
/* Borrowed until the next call; NULL if it is not known, or not any more. */
const struct grant_entry *grant_cache_find(struct grant_cache *cache, const struct grant_key *key,
                                           uint64_t now_ms);
/* `user` may be TEXT_NONE; at most GRANT_USER_MAX bytes. */
void grant_cache_put(struct grant_cache *cache, const struct grant_key *key, bool yes,
                     struct text user, uint64_t until_ms);

bool grant_key_equals(const struct grant_key *a, const struct grant_key *b);

#endif
