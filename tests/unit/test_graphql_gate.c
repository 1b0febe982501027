/* GraphQL requests and what they need: how they are read, which root fields they select, what @auth says of
 * those. A row is a request; what it needs is named by its resource codes. */
#include "tests/unit/stories.h"

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "config/memory.h"
#include "policy/graphql/catalog.h"

/* Most rows have nothing in their last column. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define JSON "application/json"

static const char schema_text[] =
    "schema { query: Query mutation: Mutation subscription: Subscription }\n"
    "type Query {\n"
    "  open: Int @auth(scope: PUBLIC)\n"
    "  orders(first: Int): Int @auth(scope: PRIVATE, productCode: \"66\", resourceCode: "
    "\"Orders\")\n"
    "  user: Int @auth(scope: PRIVATE, productCode: \"66\", resourceCode: \"User\")\n"
    "  again: Int @auth(scope: PRIVATE, productCode: \"66\", resourceCode: \"User\")\n"
    "  bare: Int\n"
    "  broken: Int @auth(scope: PRIVATE)\n"
    "}\n"
    "extend type Query { late: Int @auth(productCode: \"66\", resourceCode: \"Late\") }\n"
    "type Mutation { set: Int @auth(scope: PRIVATE, productCode: \"1\", resourceCode: \"Set\")\n"
    "                open: Int @auth(scope: PRIVATE, productCode: \"1\", resourceCode: \"Open\") "
    "}\n"
    "type Subscription { open: Int }\n";

static struct graphql_gate *gate, *gate_2x;

static struct graphql_gate *make_gate(enum graphql_builder builder)
{
    struct graphql_schema schema = { .n_files = 0 };
    struct graphql_report report = { .rules = NULL };
    struct graphql_gate *made;

    assert_true(graphql_schema_add(&schema, "s", text_dup(text_of(schema_text)),
                                   strlen(schema_text), &report));
    graphql_schema_link(&schema, &report);
    made = graphql_gate_new(&schema, builder);
    graphql_schema_fini(&schema); /* the gate holds copies */
    graphql_report_fini(&report);
    return made;
}

/* What came out, as one line: "open", "guarded Orders User", "unreadable: why". */
static char *tell(const struct graphql_judgement *judgement)
{
    static const char *const names[] = { "open", "guarded", "strange", "closed", "unreadable" };
    static char line[1024];
    size_t len = (size_t)snprintf(line, sizeof(line), "%s", names[judgement->answer]);

    if (judgement->answer == GRAPHQL_GUARDED)
        for (size_t i = 0; i < judgement->n_needs; i++)
            len += (size_t)snprintf(line + len, sizeof(line) - len, " " TEXT_FMT,
                                    TEXT_ARG(judgement->needs[i].resource));
    if (judgement->why[0])
        snprintf(line + len, sizeof(line) - len, ": %s", judgement->why);
    return line;
}

static void expect(const char *want, const struct graphql_message *message)
{
    struct graphql_judgement judgement;
    struct arena arena = { .blocks = NULL };

    graphql_judge(gate, message, &arena, &judgement);
    arena_fini(&arena);
    if (strncmp(tell(&judgement), want, strlen(want)) != 0)
        fail_msg("%s\nbut it was to be\n%s", tell(&judgement), want);
}

/* ---- documents: as {"query": ...} by POST ---- */

static struct document_row {
    const char *name, *query, *want;
    const char *more; /* members behind the query */
} documents[] = {
    /* plain */
    { "public", "{ open }", "open" },
    { "private", "{ orders }", "guarded Orders" },
    { "without a scope it is private", "{ late }", "guarded Late" },
    { "of an extension", "{ late open }", "guarded Late" },
    { "both", "{ open orders user }", "guarded Orders User" },
    { "each resource once", "{ user again }", "guarded User" },
    { "a mutation has its own fields", "mutation { open }", "guarded Open" },
    { "no @auth under 1.x", "{ bare }", "open" },
    { "a malformed @auth", "{ open broken }", "closed: the @auth on Query.broken" },
    { "a field that is not there", "{ open nothing }", "strange: the schema has no query nothing" },
    { "a query's field in a mutation", "mutation { orders }", "strange" },
    { "a subscription", "subscription { open }", "unreadable: it is a subscription" },
    { "introspection", "{ __schema { types { name } } __type(name: \"Q\") { name } __typename }",
      "open" },
    { "introspection beside a private field", "{ __schema { types { name } } orders }",
      "guarded Orders" },
    { "__schema is no mutation", "mutation { __schema { types { name } } }", "strange" },

    /* aliases */
    { "behind an alias", "{ open: orders }", "guarded Orders" },
    { "an alias like a private field", "{ orders: open }", "open" },
    { "an alias like introspection", "{ __typename: orders }", "guarded Orders" },
    { "many aliases of one field", "{ a: orders b: orders c: orders d: open }", "guarded Orders" },

    /* fragments */
    { "in an inline fragment", "{ ... { orders } }", "guarded Orders" },
    { "in an inline fragment on the root", "{ ... on Query { orders } }", "guarded Orders" },
    { "on another type: it may be an interface", "{ ... on Node { orders } }", "guarded Orders" },
    { "in a fragment", "{ ...F } fragment F on Query { orders }", "guarded Orders" },
    { "a fragment before the operation", "fragment F on Query { orders } query { ...F }",
      "guarded Orders" },
    { "fragments in fragments",
      "{ ...A } fragment A on Query { ...B open } fragment B on Query { ... { ...C } } fragment C "
      "on "
      "Query { x: user }",
      "guarded User" },
    { "a fragment that nobody spreads", "{ open } fragment F on Query { orders }", "open" },
    { "a cycle", "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A orders }",
      "guarded Orders" },
    { "a fragment that spreads itself", "{ ...A } fragment A on Query { ...A open }", "open" },
    { "a missing fragment", "{ open ...F }", "unreadable: it spreads a fragment" },
    { "a fragment twice", "{ ...F } fragment F on Query { open } fragment F on Query { orders }",
      "unreadable: it defines a fragment twice" },
    { "a fragment in a nested selection is not of the root",
      "{ open { ...F } } fragment F on T { orders }", "open" },

    /* @skip and @include */
    { "skipped", "{ open orders @skip(if: true) }", "open" },
    { "not included", "{ open orders @include(if: false) }", "open" },
    { "not skipped", "{ orders @skip(if: false) }", "guarded Orders" },
    { "included", "{ orders @include(if: true) }", "guarded Orders" },
    { "a spread that is skipped", "{ open ...F @skip(if: true) } fragment F on Query { orders }",
      "open" },
    { "skipped once, spread again", "{ ...F @skip(if: true) ...F } fragment F on Query { orders }",
      "guarded Orders" },
    { "an inline fragment that is skipped", "{ open ... @skip(if: true) { orders } }", "open" },
    { "by a variable", "query($s: Boolean!) { open orders @skip(if: $s) }", "open",
      ",\"variables\":{\"s\":true}" },
    { "by a variable that says no", "query($s: Boolean!) { orders @skip(if: $s) }",
      "guarded Orders", ",\"variables\":{\"s\":false}" },
    { "by a default", "query($s: Boolean = true) { open orders @skip(if: $s) }", "open" },
    { "a value beats the default", "query($s: Boolean = true) { open orders @skip(if: $s) }",
      "guarded Orders", ",\"variables\":{\"s\":false}" },
    { "null is no boolean", "query($s: Boolean = true) { open orders @skip(if: $s) }",
      "guarded Orders", ",\"variables\":{\"s\":null}" },
    { "a string is no boolean", "query($s: Boolean!) { orders @skip(if: $s) }", "guarded Orders",
      ",\"variables\":{\"s\":\"true\"}" },
    { "a number is no boolean", "query($s: Boolean!) { orders @skip(if: $s) }", "guarded Orders",
      ",\"variables\":{\"s\":1}" },
    { "a variable without a value", "query($s: Boolean!) { orders @skip(if: $s) }",
      "guarded Orders" },
    { "a variable that is not defined", "{ orders @skip(if: $s) }", "guarded Orders",
      ",\"variables\":{\"s\":true}" },
    { "a variable of another type", "query($s: String) { orders @skip(if: $s) }", "guarded Orders",
      ",\"variables\":{\"s\":true}" },
    { "a list of booleans", "query($s: [Boolean]) { orders @skip(if: $s) }", "guarded Orders",
      ",\"variables\":{\"s\":true}" },
    { "a variable twice", "query($s: Boolean = true, $s: Boolean = false) { orders @skip(if: $s) }",
      "guarded Orders" },
    { "@skip twice", "{ orders @skip(if: true) @skip(if: false) }", "guarded Orders" },
    { "@skip without its argument", "{ orders @skip }", "guarded Orders" },
    { "@skip with another argument", "{ orders @skip(unless: true) }", "guarded Orders" },
    { "@skip with two arguments", "{ orders @skip(if: true, if: false) }", "guarded Orders" },
    { "@Skip is another one", "{ orders @Skip(if: true) }", "guarded Orders" },
    { "@skip on the operation is none of ours", "query @skip(if: true) { orders }",
      "guarded Orders" },
    { "skipped and included", "{ open orders @include(if: true) @skip(if: true) }", "open" },

    /* several operations */
    { "the one that is named", "query A { open } query B { orders }", "open",
      ",\"operationName\":\"A\"" },
    { "the other one that is named", "query A { open } query B { orders }", "guarded Orders",
      ",\"operationName\":\"B\"" },
    { "none is named", "query A { open } query B { orders }", "unreadable: it has several" },
    { "an empty name is none", "query A { orders }", "guarded Orders", ",\"operationName\":\"\"" },
    { "null is none", "query A { orders }", "guarded Orders", ",\"operationName\":null" },
    { "a name that is not there", "query A { open }", "unreadable: no operation has the name",
      ",\"operationName\":\"B\"" },
    { "a name of another kind", "query A { open }", "unreadable: its operationName is no string",
      ",\"operationName\":[\"A\"]" },
    { "two of that name", "query A { open } mutation A { set }",
      "unreadable: it defines an operation", ",\"operationName\":\"A\"" },
    { "a mutation beside a query", "query A { open } mutation B { set }", "guarded Set",
      ",\"operationName\":\"B\"" },

    /* what is no request */
    { "extend type Query", "{ open } extend type Query { orders: Int @auth(scope: PUBLIC) }",
      "unreadable: it defines or extends types" },
    { "a schema", "type Query { orders: Int }", "unreadable: it defines or extends types" },
    { "fragments only", "fragment F on Query { orders }", "unreadable" },
    { "empty", "", "unreadable: line 1, column 1" },
    { "broken", "{ open", "unreadable: line 1, column 7" },
    { "no braces", "open", "unreadable" },
};

static void judged_document(void **state)
{
    const struct document_row *row = *state;
    char *body = NULL;

    json_t *query = json_string(row->query);
    char *quoted = json_dumps(query, JSON_ENCODE_ANY);
    assert_true(asprintf(&body, "{\"query\":%s%s}", quoted, row->more ? row->more : "") > 0);
    struct graphql_message message = { .method = TEXT("POST"),
                                       .content_type = TEXT(JSON),
                                       .body = text_of(body) };
    expect(row->want, &message);
    json_decref(query);
    free(quoted);
    free(body);
}

/* ---- messages ---- */

#define MULTIPART  "multipart/form-data; boundary=X"
#define PART(name) "Content-Disposition: form-data; name=\"" name "\"\r\n\r\n"
#define MAP        "\r\n--X\r\n" PART("map") "{}\r\n--X--\r\n"

static struct message_row {
    const char *name, *method, *query, *content_type, *body, *want;
    bool encoded;
} messages[] = {
    /* JSON in a body */
    { "POST", "POST", NULL, JSON, "{\"query\":\"{orders}\"}", "guarded Orders" },
    { "with a charset", "POST", NULL, JSON "; charset=utf-8", "{\"query\":\"{open}\"}", "open" },
    { "in capitals", "POST", NULL, "Application/JSON", "{\"query\":\"{open}\"}", "open" },
    { "GET with a body", "GET", "__graphqlBodyHash=1b2", JSON, "{\"query\":\"{orders}\"}",
      "guarded Orders" },
    { "an escape", "POST", NULL, JSON, "{\"query\":\"{\\u006frders}\"}", "guarded Orders" },
    { "an escape in a member's name", "POST", NULL, JSON, "{\"\\u0071uery\":\"{orders}\"}",
      "guarded Orders" },
    { "query twice", "POST", NULL, JSON, "{\"query\":\"{open}\",\"query\":\"{orders}\"}",
      "unreadable: its body is not JSON, or" },
    { "query twice, once escaped", "POST", NULL, JSON,
      "{\"query\":\"{open}\",\"quer\\u0079\":\"{orders}\"}", "unreadable" },
    { "variables twice", "POST", NULL, JSON,
      "{\"query\":\"{open}\",\"variables\":{},\"variables\":{}}", "unreadable" },
    { "a variable twice", "POST", NULL, JSON,
      "{\"query\":\"query($s:Boolean!){orders "
      "@skip(if:$s)}\",\"variables\":{\"s\":true,\"s\":false}}",
      "unreadable" },
    { "operationName twice", "POST", NULL, JSON,
      "{\"query\":\"query A{open}query "
      "B{orders}\",\"operationName\":\"A\",\"operationName\":\"B\"}",
      "unreadable" },
    { "another member changes nothing", "POST", NULL, JSON,
      "{\"Query\":\"{open}\",\"query\":\"{orders}\",\"x\":[1e3,{}]}", "guarded Orders" },
    { "long numbers are numbers", "POST", NULL, JSON,
      "{\"query\":\"{open}\",\"variables\":{\"n\":123456789012345678901234567890}}", "open" },
    { "variables that are no object", "POST", NULL, JSON,
      "{\"query\":\"{open}\",\"variables\":\"{}\"}", "unreadable: its variables" },
    { "a query that is no string", "POST", NULL, JSON, "{\"query\":[\"{open}\"]}",
      "unreadable: its query is no string" },
    { "no query", "POST", NULL, JSON, "{}", "unreadable: it has no query" },
    { "a persisted query", "POST", NULL, JSON,
      "{\"extensions\":{\"persistedQuery\":{\"version\":1,\"sha256Hash\":\"ab\"}}}",
      "unreadable: it names a persisted document" },
    { "a persisted query by its id", "POST", NULL, JSON, "{\"id\":\"ab\"}",
      "unreadable: it names a persisted document" },
    { "a text beside its hash is judged", "POST", NULL, JSON,
      "{\"query\":\"{orders}\",\"extensions\":{\"persistedQuery\":{\"sha256Hash\":\"ab\"}}}",
      "guarded Orders" },
    { "no JSON", "POST", NULL, JSON, "{ open }", "unreadable: its body is not JSON" },
    { "JSON and more", "POST", NULL, JSON, "{\"query\":\"{open}\"} {\"query\":\"{orders}\"}",
      "unreadable" },
    { "a NUL in the query", "POST", NULL, JSON, "{\"query\":\"{open}\\u0000{orders}\"}",
      "unreadable" },
    { "half a surrogate", "POST", NULL, JSON, "{\"query\":\"{open} # \\ud800\"}", "unreadable" },
    { "bytes that are not UTF-8", "POST", NULL, JSON, "{\"query\":\"{open} # \xff\"}",
      "unreadable" },
    { "a byte order mark before JSON", "POST", NULL, JSON, "\xef\xbb\xbf{\"query\":\"{open}\"}",
      "unreadable" },
    { "a string", "POST", NULL, JSON, "\"{open}\"", "unreadable: an operation is no JSON object" },
    { "an empty body", "POST", NULL, JSON, "", "unreadable: it has no query" },
    { "another prototype", "POST", NULL, JSON, "{\"__proto__\":{\"query\":\"{open}\"}}",
      "unreadable: it has no query" },

    /* lists */
    { "a list", "POST", NULL, JSON, "[{\"query\":\"{open}\"},{\"query\":\"{open}\"}]", "open" },
    { "a mutation in a list", "POST", NULL, JSON,
      "[{\"query\":\"{open}\"},{\"query\":\"mutation{set}\"},{\"query\":\"{user}\"}]",
      "guarded Set User" },
    { "the worst of a list counts", "POST", NULL, JSON,
      "[{\"query\":\"{open}\"},{\"query\":\"{nothing}\"},{\"query\":\"{\"}]", "unreadable" },
    { "a list in a list", "POST", NULL, JSON, "[[{\"query\":\"{open}\"}]]", "unreadable" },
    { "an empty list", "POST", NULL, JSON, "[]", "unreadable: its list of operations is empty" },

    /* what it says it is */
    { "text", "POST", NULL, "text/plain", "{\"query\":\"{open}\"}",
      "unreadable: its Content-Type" },
    { "nothing", "POST", NULL, NULL, "{\"query\":\"{open}\"}", "unreadable: its Content-Type" },
    { "a form", "POST", NULL, "application/x-www-form-urlencoded", "query={open}",
      "unreadable: its Content-Type" },
    { "a document alone", "POST", NULL, "application/graphql", "{open}",
      "unreadable: its Content-Type" },
    { "JSON's neighbour", "POST", NULL, "application/jsonp", "{\"query\":\"{open}\"}",
      "unreadable: its Content-Type" },
    { "encoded", "POST", NULL, JSON, "{\"query\":\"{open}\"}", "unreadable: its content is encoded",
      true },

    /* the URL */
    { "GET", "GET", "query=%7Borders%7D", NULL, NULL, "guarded Orders" },
    { "GET without escapes", "GET", "query={open}", NULL, NULL, "open" },
    { "a plus is a blank", "GET", "query=query+A{open}", NULL, NULL, "open" },
    { "an escaped name", "GET", "qu%65ry={orders}", NULL, NULL, "guarded Orders" },
    { "named in the URL", "GET", "query=query+A{open}query+B{orders}&operationName=B", NULL, NULL,
      "guarded Orders" },
    { "variables in the URL", "GET",
      "query=query($s:Boolean!){open+orders@skip(if:$s)}&variables=%7B%22s%22%3Atrue%7D", NULL,
      NULL, "open" },
    { "query twice in the URL", "GET", "query={open}&query={orders}", NULL, NULL,
      "unreadable: a parameter of its URL is there more than once" },
    { "query twice, once escaped, in the URL", "GET", "query={open}&%71uery={orders}", NULL, NULL,
      "unreadable: a parameter of its URL is there more than once" },
    { "variables twice in the URL", "GET", "query={open}&variables={}&variables={}", NULL, NULL,
      "unreadable" },
    { "variables in the URL that are no JSON", "GET", "query={open}&variables=x", NULL, NULL,
      "unreadable: the variables of its URL" },
    { "a broken escape", "GET", "query={open}%4", NULL, NULL, "unreadable: an escape" },
    { "another broken escape", "GET", "query={open}%zz", NULL, NULL, "unreadable: an escape" },
    { "an escape that is not UTF-8", "GET", "query={open}%23%ff", NULL, NULL, "unreadable" },
    { "neither URL nor body", "GET", NULL, NULL, NULL, "unreadable: it has no query" },
    { "persisted in the URL", "GET", "extensions=%7B%7D&operationName=A", NULL, NULL,
      "unreadable: it names a persisted document" },
    { "a POST with its query in the URL", "POST", "query={open}", NULL, NULL,
      "unreadable: its query is in the URL" },
    { "the hash says that it is in the body, and it is not", "GET",
      "query={open}&__graphqlBodyHash=1", NULL, NULL, "unreadable: its query is in the URL" },
    { "an empty hash", "GET", "__graphqlBodyHash=", JSON, "{\"query\":\"{open}\"}",
      "unreadable: the __graphqlBodyHash" },
    { "in URL and body", "POST", "query={open}", JSON, "{\"query\":\"{orders}\"}",
      "unreadable: its operation stands in the URL and in the body" },
    { "in URL and body of a GET", "GET", "query={open}", JSON, "{\"query\":\"{orders}\"}",
      "unreadable: its operation stands in the URL and in the body" },
    { "the name in the URL, the rest in the body", "POST", "operationName=A", JSON,
      "{\"query\":\"query A{open}query B{orders}\",\"operationName\":\"B\"}",
      "unreadable: its operation stands in the URL and in the body" },
    { "other parameters change nothing", "GET", "x=1&query={orders}&y", NULL, NULL,
      "guarded Orders" },

    /* uploads */
    { "an upload", "POST", NULL, MULTIPART,
      "--X\r\n" PART("operations") "{\"query\":\"mutation{set}\"}" MAP, "guarded Set" },
    { "an upload, quoted boundary", "POST", NULL, "multipart/form-data; boundary=\"X\"",
      "--X\r\n" PART("operations") "{\"query\":\"{open}\"}" MAP, "open" },
    { "an upload that names its type", "POST", NULL, MULTIPART,
      "--X\r\nContent-Disposition: form-data; name=\"operations\"\r\nContent-Type: "
      "application/json\r\n\r\n{\"query\":\"{orders}\"}" MAP,
      "guarded Orders" },
    { "operations behind map", "POST", NULL, MULTIPART,
      "--X\r\n" PART("map") "{}\r\n--X\r\n" PART(
          "operations") "{\"query\":\"{open}\"}\r\n--X--\r\n",
      "unreadable: its first part" },
    { "operations twice", "POST", NULL, MULTIPART,
      "--X\r\n" PART("operations") "{\"query\":\"{open}\"}\r\n--X\r\n" PART(
          "operations") "{\"query\":\"{orders}\"}" MAP,
      "unreadable: its second part" },
    { "a preamble", "POST", NULL, MULTIPART,
      "x\r\n--X\r\n" PART("operations") "{\"query\":\"{open}\"}" MAP, "unreadable" },
    { "a file called operations", "POST", NULL, MULTIPART,
      "--X\r\nContent-Disposition: form-data; name=\"operations\"; filename=\"a\"\r\n\r\n"
      "{\"query\":\"{open}\"}" MAP,
      "unreadable" },
    { "a transfer encoding", "POST", NULL, MULTIPART,
      "--X\r\nContent-Disposition: form-data; name=\"operations\"\r\nContent-Transfer-Encoding: "
      "base64\r\n\r\n{\"query\":\"{open}\"}" MAP,
      "unreadable" },
    { "another boundary parameter", "POST", NULL, "multipart/form-data; boundary=X; boundary=Y",
      "--X\r\n" PART("operations") "{\"query\":\"{open}\"}" MAP, "unreadable: the boundary" },
    { "no boundary", "POST", NULL, "multipart/form-data",
      "--X\r\n" PART("operations") "{\"query\":\"{open}\"}" MAP, "unreadable: the boundary" },
    { "an upload by GET", "GET", NULL, MULTIPART,
      "--X\r\n" PART("operations") "{\"query\":\"{open}\"}" MAP, "unreadable" },
    { "an upload that is cut", "POST", NULL, MULTIPART,
      "--X\r\n" PART("operations") "{\"query\":\"{open}\"}\r\n--X\r\n" PART("map") "{}",
      "unreadable" },
};

static void judged_message(void **state)
{
    const struct message_row *row = *state;
    struct graphql_message message = { .method = text_of(row->method),
                                       .query = text_of(row->query),
                                       .content_type = text_of(row->content_type),
                                       .body = text_of(row->body),
                                       .encoded = row->encoded };

    expect(row->want, &message);
}

/* ---- what is large ---- */

static char *repeated(const char *before, const char *piece, size_t n, const char *after)
{
    size_t len = strlen(piece);
    char *text = mem_alloc(strlen(before) + n * len + strlen(after) + 1, 1), *at = text;

    at = stpcpy(at, before);
    for (size_t i = 0; i < n; i++, at += len)
        memcpy(at, piece, len);
    strcpy(at, after);
    return text;
}

static struct large_row {
    const char *name, *before, *piece;
    size_t n;
    const char *after, *want;
} large[] = {
    { "a document of 10 MiB", "{\"query\":\"{open #", "aaaaaaaaaaaaaaaa", 10 * 65536, "\\n}\"}",
      "unreadable: its body is longer than 3 MiB" },
    { "selections 10,000 deep", "{\"query\":\"", "{open", 10000, "\"}",
      "unreadable: line 1, column 1001 of its document: nested deeper" },
    { "inline fragments 10,000 deep", "{\"query\":\"{", "...{", 10000, "\"}", "unreadable" },
    { "JSON 100,000 deep", "{\"query\":\"{open}\",\"variables\":", "[", 100000, "}",
      "unreadable: its body is not JSON" },
    { "3,000 aliases", "{\"query\":\"{", "a:open ", 3000, "}\"}",
      "unreadable: it selects more root fields" },
    { "1,900 aliases", "{\"query\":\"{", "a:open ", 1900, "orders}\"}", "guarded Orders" },
    { "300 operations", "{\"query\":\"{open}", " query A{open}", 300, "\",\"operationName\":\"B\"}",
      "unreadable: it has more definitions" },
    { "100 operations in a list", "[", "{\"query\":\"{open}\"},", 100, "{\"query\":\"{open}\"}]",
      "unreadable: it has more operations" },
    { "60,000 directives", "{\"query\":\"{orders ", "@a ", 60000, "}\"}", "unreadable" },
    { "100 parameters", "", "a=1&", 100, "query={open}", "unreadable: its URL has more" },
};

static void judged_large(void **state)
{
    const struct large_row *row = *state;
    char *text = repeated(row->before, row->piece, row->n, row->after);
    bool url = row->before[0] == '\0';
    struct graphql_message message = { .method = url ? TEXT("GET") : TEXT("POST"),
                                       .query = url ? text_of(text) : TEXT_NONE,
                                       .content_type = TEXT(JSON),
                                       .body = url ? TEXT_NONE : text_of(text) };

    expect(row->want, &message);
    free(text);
}

/* 250 fragments, each of which spreads the next: deeper than is allowed. */
static void fragments_in_a_row(void **state)
{
    char *body = NULL;
    size_t len;
    FILE *out = open_memstream(&body, &len);

    (void)state;
    fputs("{\"query\":\"{...F0}", out);
    for (int i = 0; i < 249; i++)
        fprintf(out, " fragment F%d on Query{...F%d}", i, i + 1);
    fputs(" fragment F249 on Query{orders}\"}", out);
    fclose(out);
    struct graphql_message message = { .method = TEXT("POST"),
                                       .content_type = TEXT(JSON),
                                       .body = { body, len } };
    expect("unreadable: its fragments stand in one another", &message);
    free(body);
}

static void many_variables(void **state)
{
    char *body = NULL;
    size_t len;
    FILE *out = open_memstream(&body, &len);

    (void)state;
    fputs("{\"query\":\"{open}\",\"variables\":{\"v\":1", out);
    for (int i = 0; i < 300; i++)
        fprintf(out, ",\"v%d\":1", i);
    fputs("}}", out);
    fclose(out);
    struct graphql_message message = { .method = TEXT("POST"),
                                       .content_type = TEXT(JSON),
                                       .body = { body, len } };
    expect("unreadable: it has more variables", &message);
    free(body);
}

static void closed_under_2x(void **state)
{
    struct graphql_message message = { .method = TEXT("GET"), .query = TEXT("query={bare}") };
    struct graphql_judgement judgement;
    struct arena arena = { .blocks = NULL };

    (void)state;
    graphql_judge(gate_2x, &message, &arena, &judgement);
    arena_fini(&arena);
    assert_int_equal(judgement.answer, GRAPHQL_CLOSED);
}

static void summary(void **state)
{
    struct graphql_message message = {
        .method = TEXT("POST"),
        .content_type = TEXT(JSON),
        .body =
            TEXT("[{\"query\":\"query Both { b: open orders }\"},{\"query\":\"mutation{set}\"}]")
    };
    struct graphql_judgement judgement;
    struct arena arena = { .blocks = NULL };

    (void)state;
    graphql_judge(gate, &message, &arena, &judgement);
    arena_fini(&arena);
    assert_int_equal(judgement.summary.n_operations, 2);
    assert_int_equal(judgement.summary.operation, GRAPHQL_QUERY);
    assert_string_equal(judgement.summary.name, "Both");
    assert_string_equal(judgement.summary.fields, "open,orders,set");
    assert_int_equal(judgement.n_list, 2);
}

/* ---- routes of other apps ---- */

static struct route_row {
    const char *name, *path, *app;
} routes[] = {
    { "with a workspace", "/vtex.messages/v1/acme/master/_v/graphql", "vtex.messages" },
    { "without a workspace", "/vtex.messages/v1/acme/_v/graphql", "vtex.messages" },
    { "another route", "/vtex.messages/v1/acme/master/_v/other", "" },
    { "no account", "/vtex.messages/v1/_v/graphql", "" },
    { "no version", "/vtex.messages/acme/master/_v/graphql", "" },
    { "too deep", "/vtex.messages/v1/acme/master/x/_v/graphql", "" },
    { "no app", "/messages/v1/acme/master/_v/graphql", "" },
    { "an empty segment", "/vtex.messages/v1//master/_v/graphql", "" },
    { "more behind it", "/vtex.messages/v1/acme/master/_v/graphql/x", "" },
    { "the route alone", "/_v/graphql", "" },
    { "nothing", "", "" },
};

static void app_of_route(void **state)
{
    const struct route_row *row = *state;
    struct text app = graphql_app_in_path(text_of(row->path));

    assert_true(text_eq(app, text_of(row->app)));
}

int main(void)
{
    struct stories *stories = calloc(1, sizeof(*stories));

    gate = make_gate(GRAPHQL_BUILDER_1X);
    gate_2x = make_gate(GRAPHQL_BUILDER_2X);
    STORIES_ADD(stories, documents, judged_document);
    STORIES_ADD(stories, messages, judged_message);
    STORIES_ADD(stories, large, judged_large);
    stories_add(stories, "250 fragments in a row", fragments_in_a_row, NULL);
    stories_add(stories, "300 variables", many_variables, NULL);
    stories_add(stories, "no @auth under 2.x", closed_under_2x, NULL);
    stories_add(stories, "what the log says of it", summary, NULL);
    STORIES_ADD(stories, routes, app_of_route);
    int failed = stories_run("graphql gate", stories);
    graphql_gate_unref(gate);
    graphql_gate_unref(gate_2x);
    free(stories);
    return failed;
}
