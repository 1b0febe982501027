/* tests/bench/ruleset.h - made-up allowlists of any size, as a manifest and as nginx's maps.
 *
 * Rules come in blocks of ten that share a host; blocks of exact hosts, *.domain hosts, hosts with
 * {{account}} and apps alternate. The rules for RULESET_HOST are the last ones. */
#ifndef BENCH_RULESET_H
#define BENCH_RULESET_H

#include <stddef.h>
#include <stdio.h>

#define RULESET_HOST    "api.partner.example"
#define RULESET_ACCOUNT "storeacct"

enum ruleset_shape {
    RULESET_EXACT,  /* /api/catalog/v1/item-00017/info */
    RULESET_PREFIX, /* /api/catalog/v1/item-00017/ and a star */
    RULESET_MIDDLE, /* /api/catalog/, a star, /item-00017/info */
    RULESET_MIXED,  /* these three in turn */
    RULESET_STARS,  /* /api/, a star, /item-00017/, a star: all alike at both ends */
    N_RULESET_SHAPES,
};

struct ruleset {
    size_t n_rules, on_host; /* of the rules, those for RULESET_HOST */
    enum ruleset_shape shape;
};

const char *ruleset_shape_name(enum ruleset_shape shape);

/* The manifest's text; the caller frees it. */
char *ruleset_manifest(const struct ruleset *set);
/* `map` blocks that set $allowed to "1" for what the manifest opens, from $host and $uri. */
void ruleset_nginx(const struct ruleset *set, FILE *out);

/* A URL that rule `i` opens. RULESET_NONE: one for RULESET_HOST that no rule opens. */
enum { RULESET_URL_MAX = 320 };
#define RULESET_NONE ((size_t)-1)
void ruleset_url(const struct ruleset *set, size_t i, char out[RULESET_URL_MAX]);

#endif
