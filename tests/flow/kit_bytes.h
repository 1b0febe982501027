/* tests/flow/kit_bytes.h - bytes that grow. Always ended by a NUL that does not count, so that what
 * is text can be read as text. Owned by whoever embeds it; zero-initialised is empty. */
#ifndef TESTS_FLOW_KIT_BYTES_H
#define TESTS_FLOW_KIT_BYTES_H

#include <stdbool.h>
#include <stddef.h>

struct bytes {
    char *at;
    size_t n, size;
};

void bytes_add(struct bytes *bytes, const void *from, size_t n);
void bytes_print(struct bytes *bytes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Room for n more bytes; the caller adds what it wrote to bytes->n. */
char *bytes_room(struct bytes *bytes, size_t n);
void bytes_free(struct bytes *bytes);

/* A copy that the caller frees. */
char *text_copy(const char *from, size_t n);
/* The value of the header `name` in a head, without blanks around; NULL if it is not there. The
 * caller frees. Reads lines and knows nothing of the product's parser. */
char *head_field(const char *head, const char *name);
/* How many lines of the head are this header. */
size_t head_count(const char *head, const char *name);

#endif
