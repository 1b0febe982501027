/* policy/graphql/lex.h - bytes become tokens, one at a time.
 *
 * The first failure sticks: from then on every token is TOKEN_BAD, so that a caller looks for it once,
 * at the end. Blanks, commas, comments and byte order marks are skipped. */
#ifndef POLICY_GRAPHQL_LEX_H
#define POLICY_GRAPHQL_LEX_H

#include "policy/graphql/parse.h"

/* A punctuator's kind is its own character. */
enum {
    TOKEN_END = 0,
    TOKEN_BAD = 1,
    TOKEN_SPREAD = '.',
    TOKEN_NAME = 'n',
    TOKEN_INT = 'i',
    TOKEN_FLOAT = 'f',
    TOKEN_STRING = 's',
    TOKEN_BLOCK_STRING = 'b',
};

struct graphql_token {
    int kind;
    const char *at;   /* where it begins */
    struct text text; /* the name, the number as written, the decoded string */
};

struct graphql_lexer {
    struct text source;
    const char *at, *end; /* behind the token */
    struct graphql_token token;
    size_t n_tokens, max_tokens;
    struct arena *arena; /* for strings that differ from how they are written */
    const char *failed_at;
    struct graphql_error *error;
};

/* Moves on to the next token. */
void graphql_lex(struct graphql_lexer *lexer);

/* The first failure only. */
void graphql_lex_fail(struct graphql_lexer *lexer, enum graphql_failure failure, const char *at,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));

/* "the name \"foo\"", "\"{\"", "the end": printable. Returns `out`. */
const char *graphql_lex_describe(const struct graphql_token *token, char *out, size_t size);

/* ---- between lex.c and lex_string.c ---- */

/* At a quotation mark. Sets the token, or fails. */
void graphql_lex_string(struct graphql_lexer *lexer, const char *at);

/* How many bytes the character at `at` has; 0 when they are not UTF-8 (overlong forms, surrogates and
 * what is beyond U+10FFFF included). */
size_t graphql_utf8_length(const char *at, const char *end);
void graphql_lex_fail_utf8(struct graphql_lexer *lexer, const char *at);

#endif
