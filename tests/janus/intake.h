/* tests/janus/intake.h - takes heads and bodies off a connection's input.
 *
 * Whole heads only; bodies as they come, counted and hashed, never gathered. */
#ifndef TESTS_JANUS_INTAKE_H
#define TESTS_JANUS_INTAKE_H

#include <event2/buffer.h>

#include "tests/janus/chunked.h"
#include "tests/janus/record.h"

struct intake {     /* zeroed at first */
    size_t scanned; /* bytes of the input that hold no end of a head */
    struct chunked chunked;
    uint64_t left; /* of a counted body */
};

/* The next head with its empty line, which the caller frees; TEXT_NONE while its end has not come.
 * A head that is too large comes cut to HEAD_BYTES_MAX. */
struct text intake_head(struct intake *intake, struct evbuffer *input);

void intake_start_body(struct intake *intake, const struct head *head);
/* Adds to `arrival` what is there. True at the end of the body, or with arrival->fault set. */
bool intake_body(struct intake *intake, struct evbuffer *input, struct arrival *arrival);

#endif
