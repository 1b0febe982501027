#include "tests/flow/kit_stage.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/flow/kit_renewal.h"
#include "tests/flow/kit_wait.h"

enum { CALM_MS = 5000 };

static void write_token(const struct stage *stage, char text[64])
{
    snprintf(text, 64, ROBOT_TOKEN "%u", stage->token);
}

void stage_open(struct stage *stage, const struct plan *given, bool with_shim)
{
    struct plan plan = given ? *given : (struct plan){ 0 };
    char connect_to[64], token[64];
    size_t n = 0;

    *stage = (struct stage){ .token = 1 };
    stage->robot = robot_new(plan.plain ? NULL : certificate_context(CERTIFICATE_GOOD));
    if (with_shim) {
        stage->faults = fault_kit_new();
        plan.environment = fault_kit_environment(stage->faults);
    }
    while (plan.options[n])
        n++;
    assert_true(n + 4 < PLAN_OPTIONS_MAX);
    snprintf(connect_to, sizeof(connect_to), "::127.0.0.1:%u", robot_port(stage->robot));
    plan.options[n++] = "--connect-to";
    plan.options[n++] = connect_to;
    plan.options[n++] = "--token-overlap";
    plan.options[n++] = "0s";
    write_token(stage, token);
    plan.token = token;
    world_open(&stage->world, &plan);
    process_await_line(stage->world.sidecar, "event=token generation=1");
    hush(&stage->world);
    stage->calm_descriptors = process_descriptors(stage->world.sidecar);
}

void stage_close(struct stage *stage)
{
    const char *complaint = robot_complaint(stage->robot);

    if (complaint)
        fail_msg("the origin complains: %s", complaint);
    world_close(&stage->world);
    robot_free(stage->robot);
    if (stage->faults)
        fault_kit_free(stage->faults);
}

void stage_next_token(struct stage *stage)
{
    char token[64];

    stage->token++;
    write_token(stage, token);
    slip(&stage->world, token);
    robot_want_token(stage->robot, stage->token);
}

/* ---- a thread that is waited for ---- */

struct act {
    void (*run)(void *context);
    void *context;
    int done; /* written to when it is over */
};

static void *perform(void *arg)
{
    struct act *act = arg;

    act->run(act->context);
    if (write(act->done, "", 1) != 1)
        abort();
    return NULL;
}

void stage_run(void (*run)(void *context), void *context)
{
    struct act act = { .run = run, .context = context };
    struct pollfd over = { .events = POLLIN };
    pthread_t thread;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    act.done = ends[1];
    over.fd = ends[0];
    assert_int_equal(pthread_create(&thread, NULL, perform, &act), 0);
    while (!wait_any(&over, 1, now_ms() + PATIENCE_MS))
        ;
    pthread_join(thread, NULL);
    close(ends[0]);
    close(ends[1]);
}

bool stage_is_calm(struct stage *stage, size_t *n)
{
    long long deadline = now_ms() + CALM_MS;

    robot_hang_up(stage->robot);
    while ((*n = process_descriptors(stage->world.sidecar)) > stage->calm_descriptors &&
           now_ms() < deadline) {
        poll(NULL, 0, 1); /* nobody tells of another process's descriptors */
        /* A request whose client has left with more to read goes again on a new connection. */
        robot_hang_up(stage->robot);
    }
    return *n <= stage->calm_descriptors;
}

struct request stage_get(const char *host, unsigned seed, unsigned size)
{
    return (struct request){ .method = "GET",
                             .host = host,
                             .path = "/a",
                             .script = { .status = 200,
                                         .seed = seed,
                                         .size = size,
                                         .chunk = 700,
                                         .framing = FRAMED_BY_LENGTH,
                                         .fault = FAULT_NONE,
                                         .pieces = 1 } };
}
