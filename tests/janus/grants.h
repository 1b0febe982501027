/* tests/janus/grants.h - what a test has granted to whom. */
#ifndef TESTS_JANUS_GRANTS_H
#define TESTS_JANUS_GRANTS_H

#include <jansson.h>

#include "config/text.h"

/* True if a test has said anything about it; then `yes` is what. */
bool grants_say(const json_t *grants, struct text user, struct text product, struct text resource,
                bool *yes);

#endif
