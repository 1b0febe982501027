/* The origin leaves at each byte of its response: of the head, of the content, and of the chunked
 * coding around it, with a goodbye, without one, and by a reset. Before the end of the head the client
 * gets a 502, behind it a response of which one can see that something is missing; and the next request
 * goes as ever. */
#include <stdio.h>
#include <string.h>

#include "tests/flow/kit_stage.h"

enum { CONTENT = 60, CHUNK = 20, UPLOAD = 200 * 1000 };

static struct stage stage;

static struct cut {
    const char *name;
    enum script_framing framing;
    enum script_fault fault;
    unsigned interim, pieces;
    bool early; /* while the request's body is still coming */
} secured[] = {
    { "a length, closed", FRAMED_BY_LENGTH, FAULT_CLOSE, 0, 1, false },
    { "a length, cut", FRAMED_BY_LENGTH, FAULT_CUT, 0, 1, false },
    { "a length, reset", FRAMED_BY_LENGTH, FAULT_RESET, 0, 1, false },
    { "chunks, closed", FRAMED_BY_CHUNKS, FAULT_CLOSE, 0, 1, false },
    { "chunks, cut", FRAMED_BY_CHUNKS, FAULT_CUT, 0, 1, false },
    { "chunks, reset", FRAMED_BY_CHUNKS, FAULT_RESET, 0, 1, false },
    { "chunks in two pieces, cut", FRAMED_BY_CHUNKS, FAULT_CUT, 0, 2, false },
    { "until the end, closed", FRAMED_BY_END, FAULT_CLOSE, 0, 1, false },
    { "until the end, cut", FRAMED_BY_END, FAULT_CUT, 0, 1, false },
    { "until the end, reset", FRAMED_BY_END, FAULT_RESET, 0, 1, false },
    { "behind a 103, cut", FRAMED_BY_LENGTH, FAULT_CUT, 1, 1, false },
    { "under an upload, closed", FRAMED_BY_LENGTH, FAULT_CLOSE, 0, 1, true },
    { "under an upload, reset", FRAMED_BY_CHUNKS, FAULT_RESET, 0, 1, true },
},
  plain[] = {
      { "without TLS: a length, closed", FRAMED_BY_LENGTH, FAULT_CLOSE, 0, 1, false },
      { "without TLS: a length, reset", FRAMED_BY_LENGTH, FAULT_RESET, 0, 1, false },
      { "without TLS: chunks, closed", FRAMED_BY_CHUNKS, FAULT_CLOSE, 0, 1, false },
      { "without TLS: chunks, reset", FRAMED_BY_CHUNKS, FAULT_RESET, 0, 1, false },
      { "without TLS: until the end, closed", FRAMED_BY_END, FAULT_CLOSE, 0, 1, false },
      { "without TLS: until the end, reset", FRAMED_BY_END, FAULT_RESET, 0, 1, false },
  };

struct matrix {
    const struct cut *cut;
    size_t cuts, failed, seen; /* answered 502; seen to be cut */
    char why[400];
};

/* What may become of a response of which `at` bytes have left. */
static bool is_allowed(const struct cut *cut, size_t at, size_t head, size_t whole,
                       const struct reply *reply)
{
    bool clear =
        reply->result == RESULT_CUT || (reply->result == RESULT_FAILED && reply->status == 502);
    /* Where the end says that this is all, it must be a clean one. */
    bool ends_well = cut->framing == FRAMED_BY_END ? cut->fault == FAULT_CLOSE : at == whole;

    if (cut->early && (clear || reply->result == RESULT_CLOSED))
        return at < whole || cut->fault == FAULT_RESET;
    if (cut->fault == FAULT_RESET && clear)
        return true; /* a reset may overtake what was sent before it */
    if (at < head)
        return reply->result == RESULT_FAILED && reply->status == 502;
    return reply->result == (ends_well ? RESULT_RIGHT : RESULT_CUT);
}

static void cut_at(struct caller *caller, struct matrix *matrix, struct request *request,
                   size_t head, size_t whole)
{
    struct request next = stage_get(STAGE_FOREIGN, 7, 10);
    size_t at = request->script.fault_at;
    struct reply reply;

    caller_ask(caller, request, &reply);
    matrix->cuts++;
    matrix->failed += reply.result == RESULT_FAILED;
    matrix->seen += reply.result == RESULT_CUT;
    if (!is_allowed(matrix->cut, at, head, whole, &reply)) {
        snprintf(matrix->why, sizeof(matrix->why), "behind byte %zu of %zu (head %zu): %s (%u) %s",
                 at, whole, head, result_name(reply.result), reply.status, reply.why);
        return;
    }
    caller_ask(caller, &next, &reply);
    if (reply.result != RESULT_RIGHT)
        snprintf(matrix->why, sizeof(matrix->why), "behind byte %zu, the next request: %s (%u) %s",
                 at, result_name(reply.result), reply.status, reply.why);
}

static void run_matrix(void *context)
{
    struct matrix *matrix = context;
    const struct cut *cut = matrix->cut;
    struct request request = stage_get(STAGE_FOREIGN, 5, CONTENT);
    struct bytes whole = { 0 };
    struct caller caller;
    size_t n;

    request.script.chunk = CHUNK;
    request.script.framing = cut->framing;
    request.script.fault = cut->fault;
    request.script.interim = cut->interim;
    request.script.pieces = cut->pieces;
    request.script.early = cut->early;
    if (cut->early) {
        request.method = "POST";
        request.framing = UPLOAD_LENGTH;
        request.upload = UPLOAD;
    }
    script_response(&request.script, false, &whole);
    caller_init(&caller, stage.world.port);
    caller.patience_s = 10;
    for (size_t at = 0; at <= whole.n && !matrix->why[0]; at += cut->early ? 13 : 1) {
        request.script.fault_at = (unsigned)at;
        cut_at(&caller, matrix, &request, script_head_size(&request.script), whole.n);
    }
    caller_fini(&caller);
    if (!matrix->why[0] && !stage_is_calm(&stage, &n))
        snprintf(matrix->why, sizeof(matrix->why), "%zu descriptors are open, and there were %zu",
                 n, stage.calm_descriptors);
    bytes_free(&whole);
}

static void at_each_byte(void **state)
{
    struct matrix matrix = { .cut = *state };

    stage_run(run_matrix, &matrix);
    if (matrix.why[0])
        fail_msg("%s", matrix.why);
    print_message("%s: %zu cuts, %zu of them answered 502, %zu seen to be cut\n", matrix.cut->name,
                  matrix.cuts, matrix.failed, matrix.seen);
}

static int open_secured(void **state)
{
    (void)state;
    stage_open(&stage, NULL, false);
    return 0;
}

static int open_plain(void **state)
{
    static const struct plan plan = { .plain = true,
                                      .options = { "--plaintext-host", STAGE_FOREIGN } };

    (void)state;
    stage_open(&stage, &plan, false);
    return 0;
}

static int close_stage(void **state)
{
    (void)state;
    stage_close(&stage);
    return 0;
}

int main(void)
{
    static struct stories over_tls, without;

    STORIES_ADD(&over_tls, secured, at_each_byte);
    STORIES_ADD(&without, plain, at_each_byte);
    int failed =
        _cmocka_run_group_tests("cuts", over_tls.tests, over_tls.n, open_secured, close_stage);
    return failed + _cmocka_run_group_tests("cuts without TLS", without.tests, without.n,
                                            open_plain, close_stage);
}
