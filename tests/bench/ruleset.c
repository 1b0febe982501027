#include "tests/bench/ruleset.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 10, PART_MAX = 100, WHERE_MAX = 2 * PART_MAX };

enum host_kind { HOST_EXACT, HOST_WILD, HOST_STORE, HOST_SITE, HOST_APP };

/* What one block is about. `host` is for a manifest; `app` only with HOST_APP. */
struct block {
    enum host_kind kind;
    char host[PART_MAX], app[PART_MAX];
};

static const char *const words[] = { "pay",         "invoices",    "logistics", "crm",
                                     "marketplace", "reviews",     "tax",       "shipping",
                                     "analytics",   "fraud-check", "search" };

static bool is_asked(const struct ruleset *set, size_t i)
{
    return i == RULESET_NONE || i >= set->n_rules - set->on_host;
}

static struct block block_of(const struct ruleset *set, size_t i)
{
    static const enum host_kind kinds[] = { HOST_EXACT, HOST_EXACT, HOST_WILD,  HOST_EXACT,
                                            HOST_STORE, HOST_WILD,  HOST_EXACT, HOST_APP,
                                            HOST_EXACT, HOST_SITE };
    size_t n = i / BLOCK;
    struct block block = { .kind = kinds[n % 10] };
    const char *word = words[n % (sizeof words / sizeof *words)];

    if (is_asked(set, i)) {
        block.kind = HOST_EXACT;
        snprintf(block.host, PART_MAX, "%s", RULESET_HOST);
        return block;
    }
    switch (block.kind) {
    case HOST_EXACT:
        snprintf(block.host, PART_MAX, "api%zu.%s.test", n, word);
        break;
    case HOST_WILD:
        snprintf(block.host, PART_MAX, "*.%s%zu.test", word, n);
        break;
    case HOST_STORE:
        snprintf(block.host, PART_MAX, "%s", "{{account}}.vtexcommercestable.com.br");
        break;
    case HOST_SITE:
        snprintf(block.host, PART_MAX, "%s", "{{account}}.myvtex.com");
        break;
    case HOST_APP:
        snprintf(block.host, PART_MAX, "%s", "app.io.vtex.com");
        snprintf(block.app, PART_MAX, "vendor%zu.%s", n, word);
        break;
    }
    return block;
}

static enum ruleset_shape shape_of(const struct ruleset *set, size_t i)
{
    return set->shape == RULESET_MIXED ? (enum ruleset_shape)(i % RULESET_MIXED) : set->shape;
}

/* The path of rule `i`, with `star` where the pattern has one. */
static void write_path(const struct ruleset *set, size_t i, const char *star, char out[WHERE_MAX])
{
    switch (shape_of(set, i)) {
    case RULESET_PREFIX:
        snprintf(out, WHERE_MAX, "/api/catalog/v1/item-%05zu/%s", i, star);
        break;
    case RULESET_MIDDLE:
        snprintf(out, WHERE_MAX, "/api/catalog/%s/item-%05zu/info", star, i);
        break;
    case RULESET_STARS:
        snprintf(out, WHERE_MAX, "/api/%s/item-%05zu/%s", star, i, star);
        break;
    default:
        snprintf(out, WHERE_MAX, "/api/catalog/v1/item-%05zu/info", i);
        break;
    }
}

const char *ruleset_shape_name(enum ruleset_shape shape)
{
    static const char *const names[N_RULESET_SHAPES] = { "exact", "prefix", "middle", "mixed",
                                                         "stars" };

    return names[shape];
}

/* ---- a manifest ---- */

static void write_policy(const struct ruleset *set, size_t i, FILE *out)
{
    static const char *const keys[] = { "Sku.aspx", "ListOrders", "vbase-read-write" };
    struct block block = block_of(set, i);
    char path[WHERE_MAX];

    fputs(i > 0 ? ",\n" : "", out);
    if (i < sizeof keys / sizeof *keys) {
        fprintf(out, "{\"name\":\"%s\"}", keys[i]);
    } else if (block.kind == HOST_APP) {
        fprintf(out, "{\"name\":\"%s:p%zu\"}", block.app, i);
    } else {
        write_path(set, i, "*", path);
        fprintf(out, "{\"name\":\"outbound-access\",\"attrs\":{\"host\":\"%s\",\"path\":\"%s\"}}",
                block.host, path);
    }
}

char *ruleset_manifest(const struct ruleset *set)
{
    char *json = NULL;
    size_t size;
    FILE *out = open_memstream(&json, &size);

    if (!out)
        abort();
    fputs("{\"vendor\":\"acme\",\"name\":\"bench\",\"version\":\"1.0.0\",\"policies\":[\n", out);
    for (size_t i = 0; i < set->n_rules; i++)
        write_policy(set, i, out);
    fputs("]}\n", out);
    if (fclose(out) != 0)
        abort();
    return json;
}

/* ---- requests ---- */

static void write_host(const struct block *block, char out[PART_MAX])
{
    switch (block->kind) {
    case HOST_WILD:
        snprintf(out, PART_MAX, "shop%s", block->host + 1);
        break;
    case HOST_STORE:
    case HOST_SITE:
        snprintf(out, PART_MAX, "%s%s", RULESET_ACCOUNT, strstr(block->host, "}}") + 2);
        break;
    default:
        snprintf(out, PART_MAX, "%s", block->host);
        break;
    }
}

void ruleset_url(const struct ruleset *set, size_t i, char out[RULESET_URL_MAX])
{
    struct block block = block_of(set, i);
    char host[PART_MAX], path[WHERE_MAX];

    write_host(&block, host);
    write_path(set, i == RULESET_NONE ? 123456 : i, "v1", path);
    if (i != RULESET_NONE && shape_of(set, i) == RULESET_PREFIX)
        strcat(path, "info");
    if (block.kind == HOST_APP)
        snprintf(path, WHERE_MAX, "/%s/v1/" RULESET_ACCOUNT "/master/info", block.app);
    snprintf(out, RULESET_URL_MAX, "https://%s%s", host, path);
}

/* ---- nginx ---- */

/* The value of a map may be another map's variable, which is looked up only then: so each host has
 * its own list of paths, as it has here. */
static void write_paths(const struct ruleset *set, size_t first, size_t end, FILE *out)
{
    fprintf(out, "map $uri $paths%zu {\n volatile;\n default 0;\n", first);
    for (size_t i = first; i < end; i++) {
        char path[WHERE_MAX];

        write_path(set, i, shape_of(set, i) == RULESET_PREFIX ? "" : ".*", path);
        switch (shape_of(set, i)) {
        case RULESET_PREFIX:
            fprintf(out, " \"~^%s\" 1;\n", path);
            break;
        case RULESET_MIDDLE:
        case RULESET_STARS:
            fprintf(out, " \"~^%s$\" 1;\n", path);
            break;
        default:
            fprintf(out, " \"%s\" 1;\n", path);
            break;
        }
    }
    fputs("}\n", out);
}

/* One variable a host; the few hosts that come again have theirs from their first block. */
static bool has_own_map(const struct ruleset *set, size_t first)
{
    enum host_kind kind = block_of(set, first).kind;

    return kind == HOST_EXACT || kind == HOST_WILD || first < BLOCK * 10;
}

static size_t block_end(const struct ruleset *set, size_t first)
{
    size_t asked = set->n_rules - set->on_host;

    if (first >= asked)
        return set->n_rules;
    return first + BLOCK < asked ? first + BLOCK : asked;
}

void ruleset_nginx(const struct ruleset *set, FILE *out)
{
    for (size_t i = 0; i < set->n_rules; i = block_end(set, i))
        if (has_own_map(set, i))
            write_paths(set, i, block_end(set, i), out);
    fputs("map $host $allowed {\n hostnames;\n volatile;\n default 0;\n", out);
    for (size_t i = 0; i < set->n_rules; i = block_end(set, i)) {
        struct block block = block_of(set, i);
        char host[PART_MAX];

        write_host(&block, host);
        if (has_own_map(set, i))
            fprintf(out, " %s $paths%zu;\n", block.kind == HOST_WILD ? block.host : host, i);
    }
    fputs("}\n", out);
}
