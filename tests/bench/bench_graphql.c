/* How long it takes to read a GraphQL document.
 *
 *   bench_graphql [ROUNDS]        everything, as JSON rows
 *   bench_graphql list            the names of the documents
 *   bench_graphql document NAME   one of them, for other programs
 *   bench_graphql parse NAME N    reads it N times, for a profiler */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/graphql/parse.h"
#include "tests/bench/rows.h"

/* What a storefront sends: a search with its fragments. About 2 KiB, as an app's client prints it. */
static const char search[] =
    "query productSearch($query: String, $fullText: String, $selectedFacets: [SelectedFacetInput], "
    "$from: Int = 0, $to: Int = 11, $orderBy: String, $hideUnavailable: Boolean = false, "
    "$simulationBehavior: SimulationBehavior = default, $withFacets: Boolean!) {\n"
    "  productSearch(query: $query, fullText: $fullText, selectedFacets: $selectedFacets, from: "
    "$from, to: $to, orderBy: $orderBy, hideUnavailableItems: $hideUnavailable, "
    "simulationBehavior: $simulationBehavior) {\n"
    "    products {\n"
    "      ...ProductSummary\n"
    "      items {\n"
    "        itemId\n"
    "        name\n"
    "        nameComplete\n"
    "        ean\n"
    "        images {\n"
    "          imageId\n"
    "          imageUrl\n"
    "          imageLabel\n"
    "          imageText\n"
    "        }\n"
    "        sellers {\n"
    "          sellerId\n"
    "          sellerName\n"
    "          sellerDefault\n"
    "          commertialOffer {\n"
    "            ...Offer\n"
    "            teasers {\n"
    "              name\n"
    "              conditions {\n"
    "                minimumQuantity\n"
    "                parameters {\n"
    "                  name\n"
    "                  value\n"
    "                }\n"
    "              }\n"
    "            }\n"
    "          }\n"
    "        }\n"
    "        variations {\n"
    "          name\n"
    "          values\n"
    "        }\n"
    "      }\n"
    "    }\n"
    "    recordsFiltered\n"
    "    correction {\n"
    "      misspelled\n"
    "    }\n"
    "    __typename\n"
    "  }\n"
    "  facets(query: $query, selectedFacets: $selectedFacets, removeHiddenFacets: true, behavior: "
    "\"Dynamic\") @include(if: $withFacets) {\n"
    "    facets {\n"
    "      name\n"
    "      type\n"
    "      hidden\n"
    "      values {\n"
    "        id\n"
    "        quantity\n"
    "        key\n"
    "        selected\n"
    "        range {\n"
    "          from\n"
    "          to\n"
    "        }\n"
    "      }\n"
    "    }\n"
    "  }\n"
    "}\n"
    "\n"
    "fragment ProductSummary on Product {\n"
    "  cacheId\n"
    "  productId\n"
    "  productName\n"
    "  productReference\n"
    "  linkText\n"
    "  brand\n"
    "  brandId\n"
    "  categoryId\n"
    "  priceRange {\n"
    "    sellingPrice {\n"
    "      highPrice\n"
    "      lowPrice\n"
    "    }\n"
    "    listPrice {\n"
    "      highPrice\n"
    "      lowPrice\n"
    "    }\n"
    "  }\n"
    "  specificationGroups {\n"
    "    name\n"
    "    originalName\n"
    "    specifications {\n"
    "      name\n"
    "      values\n"
    "    }\n"
    "  }\n"
    "}\n"
    "\n"
    "fragment Offer on Offer {\n"
    "  price: Price\n"
    "  listPrice: ListPrice\n"
    "  available: AvailableQuantity\n"
    "  taxes: Tax\n"
    "}\n";

static const char order[] = "{ order(id: \"1\") { id status total { value currency } } }";

static struct measured {
    const char *name;
    char *text;
    size_t len;
    struct arena arena;
} documents[3];

enum { N_DOCUMENTS = sizeof documents / sizeof *documents, MANY_FIELDS = 400 };

/* A schema of the size of a large app's. */
static char *schema_text(void)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    fputs("type Query {\n", out);
    for (int i = 0; i < MANY_FIELDS; i++)
        fprintf(out,
                "  \"\"\"\n  The orders of kind %d.\n  \"\"\"\n  orders%d(first: Int = 10, filter: "
                "Filter%d): [Order!]! @auth(scope: PRIVATE, productCode: \"66\", resourceCode: "
                "\"View%d\")\n",
                i, i, i, i);
    fputs("}\n", out);
    fclose(out);
    return text;
}

static void make_documents(void)
{
    documents[0] = (struct measured){ .name = "small operation", .text = strdup(order) };
    documents[1] = (struct measured){ .name = "search operation", .text = strdup(search) };
    documents[2] = (struct measured){ .name = "schema", .text = schema_text() };
    for (size_t i = 0; i < N_DOCUMENTS; i++)
        documents[i].len = strlen(documents[i].text);
}

static void parse(void *context)
{
    struct measured *measured = context;
    struct graphql_document document;
    struct graphql_error error;

    if (!graphql_parse((struct text){ measured->text, measured->len }, &graphql_schema_limits,
                       &measured->arena, &document, &error)) {
        fprintf(stderr, "%s: %u:%u: %s\n", measured->name, error.line, error.column, error.what);
        exit(1);
    }
    arena_clear(&measured->arena);
}

static double measure(void *context)
{
    return bench_ns_per_call(parse, context);
}

static int measure_all(size_t rounds)
{
    struct bench bench = { .suite = "graphql", .n_rounds = rounds };

    for (size_t i = 0; i < N_DOCUMENTS; i++)
        bench_add(&bench, "ns", measure, &documents[i], "parse, %s, %zu bytes", documents[i].name,
                  documents[i].len);
    bench_run(&bench);
    bench_print(&bench, stdout);
    return 0;
}

static struct measured *find(const char *name)
{
    for (size_t i = 0; i < N_DOCUMENTS; i++) {
        if (strcmp(documents[i].name, name) == 0)
            return &documents[i];
    }
    fprintf(stderr, "bench_graphql: there is no document \"%s\"\n", name);
    exit(2);
}

int main(int argc, char **argv)
{
    int code = 0;

    make_documents();
    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        for (size_t i = 0; i < N_DOCUMENTS; i++)
            puts(documents[i].name);
    } else if (argc == 3 && strcmp(argv[1], "document") == 0) {
        fputs(find(argv[2])->text, stdout);
    } else if (argc == 4 && strcmp(argv[1], "parse") == 0) {
        for (unsigned long n = strtoul(argv[3], NULL, 10); n > 0; n--)
            parse(find(argv[2]));
    } else {
        code = measure_all(argc > 1 ? strtoul(argv[1], NULL, 10) : 5);
    }
    for (size_t i = 0; i < N_DOCUMENTS; i++) {
        free(documents[i].text);
        arena_fini(&documents[i].arena);
    }
    return code;
}
