/* tests/flow/kit_script.h - what a robot origin (kit_robot.h) shall do with a request, as the caller
 * (kit_caller.h) writes it into a header. So one seed decides both ends, and what is right can be told
 * by looking at one of them. */
#ifndef TESTS_FLOW_KIT_SCRIPT_H
#define TESTS_FLOW_KIT_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/flow/kit_bytes.h"

enum script_framing { FRAMED_BY_LENGTH = 'l', FRAMED_BY_CHUNKS = 'c', FRAMED_BY_END = 'e' };

/* How the origin leaves in the middle of its response. */
enum script_fault {
    FAULT_NONE = 'n',
    FAULT_CLOSE = 'g', /* close_notify, FIN */
    FAULT_CUT = 'f',   /* FIN alone */
    FAULT_RESET = 'r'
};

struct script {
    unsigned status;
    unsigned seed; /* of the content, and the request's name */
    unsigned size; /* of the content */
    unsigned chunk;
    enum script_framing framing;
    enum script_fault fault;
    unsigned fault_at; /* bytes of the response, head included, that still leave */
    unsigned delay_ms; /* before it answers */
    unsigned interim;  /* 103s before the response */
    unsigned pieces;   /* the response leaves in so many */
    bool leaves;       /* closes behind the response, and does not say so before */
    bool early;        /* answers before it has read the body */
};

enum { SCRIPT_TEXT_MAX = 160, CONTENT_MAX = 4 * 1024 * 1024 };
void script_write(const struct script *script, char text[SCRIPT_TEXT_MAX]);
bool script_read(const char *text, struct script *script);

/* All that a robot sends if nothing cuts it, and how much of that is no content. */
void script_response(const struct script *script, bool to_head, struct bytes *out);
size_t script_head_size(const struct script *script);

/* The content of a seed: no two places of it look alike, nor do two seeds. */
void content_write(unsigned seed, size_t from, char *bytes, size_t n);
bool content_is(unsigned seed, size_t from, const char *bytes, size_t n);

/* Numbers that a seed decides. */
struct dice {
    uint64_t state;
};
uint64_t dice_roll(struct dice *dice);
/* 0 ... n-1 */
unsigned dice_of(struct dice *dice, unsigned n);
bool dice_one_in(struct dice *dice, unsigned n);

#endif
