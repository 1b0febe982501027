/* tests/flow/kit_stage.h - a world whose origin is a robot, and in whose sidecar calls can fail.
 *
 *   callers ---- plain HTTP ---> sidecar (with the shim) --- TLS ---> robot
 *   (threads)                                                         (threads)
 *
 * A failing test leaves its robot behind: it dies with the program. */
#ifndef TESTS_FLOW_KIT_STAGE_H
#define TESTS_FLOW_KIT_STAGE_H

#include "tests/flow/kit_caller.h"
#include "tests/flow/kit_faults.h"
#include "tests/flow/kit_robot.h"
#include "tests/flow/kit_world.h"

#define STAGE_FOREIGN "any.partner.example"
#define STAGE_STORE   "storeacct.vtexcommercestable.com.br"
#define STAGE_DENIED  "nobody.example"

struct stage {
    struct world world;
    struct robot *robot;
    struct fault_kit *faults; /* NULL: without the shim */
    unsigned token;           /* the number of the one in the token file */
    size_t calm_descriptors;  /* of the sidecar, when nobody is connected */
};

/* `plan` may be NULL; its options come first. */
void stage_open(struct stage *stage, const struct plan *plan, bool with_shim);
/* SIGTERM and a good end; nothing wrong was seen by the robot. */
void stage_close(struct stage *stage);

/* The next token in the file, which the sidecar is not told of, and older ones are refused. */
void stage_next_token(struct stage *stage);

/* Runs it in a thread of its own, and meanwhile listens to the children. */
void stage_run(void (*run)(void *context), void *context);

/* In a caller's thread, when all callers have left: the robot leaves too, and the sidecar has as many
 * descriptors as at the beginning. False if that does not come to pass in time; `n` is what it has. */
bool stage_is_calm(struct stage *stage, size_t *n);

/* A GET of `size` bytes: what must always go. */
struct request stage_get(const char *host, unsigned seed, unsigned size);

#endif
