/* tests/janus/overrides.h - routes that answer as a test says: with another status or body, late, or not at all. */
#ifndef TESTS_JANUS_OVERRIDES_H
#define TESTS_JANUS_OVERRIDES_H

#include <stdbool.h>

struct exchange;

/* False if no test has said anything about this route. */
bool override_answer(struct exchange *x);

#endif
