/* tests/flow/kit_caller.h - a client that asks robots (kit_robot.h) and looks at every byte of every
 * answer.
 *
 * Blocking, for a thread of its own; nothing here fails the test. What came of a request is one of the
 * results below: only the last two are never right. */
#ifndef TESTS_FLOW_KIT_CALLER_H
#define TESTS_FLOW_KIT_CALLER_H

#include "tests/flow/kit_bytes.h"
#include "tests/flow/kit_script.h"

enum result {
    RESULT_RIGHT,   /* the answer that the script says, whole */
    RESULT_FAILED,  /* an answer of the sidecar's own; `status` says which */
    RESULT_REFUSED, /* the origin's 401 */
    RESULT_CUT,     /* the answer, and one can see that something of it is missing */
    RESULT_CLOSED,  /* the connection ended before an answer */
    RESULT_LEFT,    /* the caller went away, as it was told */
    RESULT_WRONG,
    RESULT_STUCK,
    RESULTS_N
};
const char *result_name(enum result result);

enum upload_framing { UPLOAD_NONE, UPLOAD_LENGTH, UPLOAD_CHUNKED };

struct request {
    const char *method, *host, *path;
    struct script script;
    enum upload_framing framing;
    unsigned upload, upload_seed;
    unsigned pieces; /* it leaves in so many; 0 is 1 */
    bool expects;    /* 100-continue */
    bool last;       /* Connection: close */
    bool denied;     /* an answer of the sidecar's own is what is right */
    unsigned
        leave_at; /* 1 + bytes of the request that are sent before the caller goes; 0: it stays */
    unsigned cut_at; /* 1 + bytes of the response that it reads before it goes; 0: it stays */
    bool resets;     /* it goes with a reset */
};

struct reply {
    enum result result;
    unsigned status; /* 0: none came */
    char why[200];   /* of what is not right */
};

struct caller {
    uint16_t port;
    unsigned patience_s; /* without a byte for so long, it is stuck */
    int fd;              /* -1: not connected */
    struct bytes seen;
    size_t at;
    bool ended, reset;
};

void caller_init(struct caller *caller, uint16_t port);
void caller_leave(struct caller *caller);
void caller_fini(struct caller *caller);

/* One request, over the connection that is there or a new one. */
void caller_ask(struct caller *caller, const struct request *request, struct reply *reply);
/* All at once, then the answers in order. Stops where the connection ends: the rest is CLOSED. */
void caller_pipeline(struct caller *caller, const struct request *requests, size_t n,
                     struct reply *replies);
/* Bytes as they are, and whatever comes until the end or an answer's head: its status, or 0. */
unsigned caller_say(struct caller *caller, const char *bytes, size_t n);

#endif
