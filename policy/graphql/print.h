/* policy/graphql/print.h - a tree as text: one form for whatever has the same meaning.
 *
 * What comes out is GraphQL again, without any blank that is not needed, one definition a line. With
 * `mark_blocks`, a block string is written as block"...", which is not GraphQL, but tells it from an
 * ordinary string of the same meaning: for those who compare trees. */
#ifndef POLICY_GRAPHQL_PRINT_H
#define POLICY_GRAPHQL_PRINT_H

#include <stdio.h>

#include "policy/graphql/tree.h"

void graphql_print(const struct graphql_document *document, bool mark_blocks, FILE *out);

#endif
