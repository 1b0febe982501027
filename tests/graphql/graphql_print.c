/* graphql-print: our half of the comparison with the reference implementation (compare.js).
 *
 * Standard input is a row of documents, each a line with its length in bytes and then those bytes.
 * For each one goes out: "ok LENGTH" and a tree of that many bytes, or "no LINE:COLUMN what". */
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "policy/graphql/parse.h"
#include "policy/graphql/print.h"

static void answer(struct text source)
{
    struct arena arena = { 0 };
    struct graphql_document document;
    struct graphql_error error;
    char *tree = NULL;
    size_t len = 0;
    FILE *out;

    if (!graphql_parse(source, &graphql_schema_limits, &arena, &document, &error)) {
        printf("no %u:%u %s\n", error.line, error.column, error.what);
    } else {
        out = open_memstream(&tree, &len);
        graphql_print(&document, true, out);
        fclose(out);
        printf("ok %zu\n", len);
        fwrite(tree, 1, len, stdout);
    }
    free(tree);
    arena_fini(&arena);
}

int main(void)
{
    char line[32];

    while (fgets(line, sizeof(line), stdin)) {
        size_t len = strtoul(line, NULL, 10);
        char *bytes = mem_alloc(len, 1);

        if (fread(bytes, 1, len, stdin) != len)
            return EXIT_FAILURE;
        answer((struct text){ bytes, len });
        free(bytes);
    }
    return EXIT_SUCCESS;
}
