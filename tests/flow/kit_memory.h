/* tests/flow/kit_memory.h - what stands in the memory of a child: every readable page of it.
 *
 * A secret is looked for in the forms in which programs write it: raw, percent-encoded, in JSON, and
 * in base64, in each position and both alphabets. They are made here, and not by the product. */
#ifndef TESTS_FLOW_KIT_MEMORY_H
#define TESTS_FLOW_KIT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/flow/kit_process.h"

/* The name of a form of `secret` that stands in these bytes; NULL: none does. */
const char *memory_form_in(const char *secret, const void *bytes, size_t n);

/* False where the memory of other processes cannot be read. */
bool memory_is_readable(const struct process *process);

enum memory_where { MEMORY_ANYWHERE, MEMORY_UNLOCKED };

/* Fails the test, and says where, if a form of `secret` stands in the process's memory; with
 * MEMORY_UNLOCKED only if it stands where it could be dumped or swapped out. */
void memory_is_clean(const struct process *process, const char *secret, enum memory_where where);
/* Whether it stands anywhere: a test that finds nothing should have found something before. */
bool memory_holds(const struct process *process, const char *secret);

#endif
