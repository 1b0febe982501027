/* How long it takes to read a GraphQL document, and to judge a request.
 *
 *   bench_graphql [ROUNDS]        everything, as JSON rows
 *   bench_graphql list            the names of the documents
 *   bench_graphql document NAME   one of them, for other programs
 *   bench_graphql parse NAME N    reads it N times, for a profiler */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/graphql/gate.h"
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
    const char *name, *what;
    void (*run)(void *context);
    char *text;
    size_t len;
    struct arena arena;
} documents[5];

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

/* ---- requests ---- */

/* As a client sends it: the document in JSON, with variables. */
static char *request_text(const char *document, const char *variables)
{
    json_t *query = json_string(document);
    char *quoted = json_dumps(query, JSON_ENCODE_ANY | JSON_COMPACT), *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    fprintf(out, "{\"operationName\":null,\"variables\":%s,\"query\":%s}", variables, quoted);
    fclose(out);
    free(quoted);
    json_decref(query);
    return text;
}

static struct graphql_gate *gate;

static void make_gate(void)
{
    static const char text[] =
        "type Query { productSearch: Int @auth(scope: PUBLIC) facets: Int @auth(scope: PUBLIC) "
        "order: "
        "Int @auth(scope: PRIVATE, productCode: \"66\", resourceCode: \"ViewOrder\") }";
    struct graphql_schema schema = { .n_files = 0 };
    struct graphql_report report = { .rules = NULL };

    graphql_schema_add(&schema, "bench", strdup(text), strlen(text), &report);
    graphql_schema_link(&schema, &report);
    gate = graphql_gate_new(&schema, GRAPHQL_BUILDER_2X);
    graphql_schema_fini(&schema);
    graphql_report_fini(&report);
}

/* From the bytes of the body to the answer: JSON, document, selection, rules. */
static void judge(void *context)
{
    static struct graphql_judgement judgement;
    struct measured *measured = context;
    struct graphql_message message = { .method = TEXT("POST"),
                                       .content_type = TEXT("application/json"),
                                       .body = { measured->text, measured->len } };

    graphql_judge(gate, &message, &measured->arena, &judgement);
    if (judgement.answer > GRAPHQL_GUARDED) {
        fprintf(stderr, "%s: %s\n", measured->name, judgement.why);
        exit(1);
    }
}

static void make_documents(void)
{
    static const char variables[] =
        "{\"query\":\"shoes\",\"withFacets\":true,\"from\":0,\"to\":11}";

    documents[0] = (struct measured){ "small operation", "parse", parse, .text = strdup(order) };
    documents[1] = (struct measured){ "search operation", "parse", parse, .text = strdup(search) };
    documents[2] = (struct measured){ "schema", "parse", parse, .text = schema_text() };
    documents[3] = (struct measured){ "small request", "parse and judge", judge,
                                      .text = request_text(order, "{}") };
    documents[4] = (struct measured){ "search request", "parse and judge", judge,
                                      .text = request_text(search, variables) };
    for (size_t i = 0; i < N_DOCUMENTS; i++)
        documents[i].len = strlen(documents[i].text);
    make_gate();
}

static double measure(void *context)
{
    return bench_ns_per_call(((struct measured *)context)->run, context);
}

static int measure_all(size_t rounds)
{
    struct bench bench = { .suite = "graphql", .n_rounds = rounds };

    for (size_t i = 0; i < N_DOCUMENTS; i++)
        bench_add(&bench, "ns", measure, &documents[i], "%s, %s, %zu bytes", documents[i].what,
                  documents[i].name, documents[i].len);
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
            find(argv[2])->run(find(argv[2]));
    } else {
        code = measure_all(argc > 1 ? strtoul(argv[1], NULL, 10) : 5);
    }
    for (size_t i = 0; i < N_DOCUMENTS; i++) {
        free(documents[i].text);
        arena_fini(&documents[i].arena);
    }
    graphql_gate_unref(gate);
    return code;
}
