/* Rotation against the simulator's private route, which counts: a crowd that meets a revoked token, and
 * thousands of new tokens under load. Nothing is sent twice that was taken once, nothing fails, and no
 * request goes with a token older than the one that was seen before it began. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/flow/kit_process.h"
#include "tests/flow/kit_renewal.h"
#include "tests/flow/kit_sim.h"
#include "tests/flow/kit_wait.h"

struct stage {
    struct folder *folder;
    struct sim *sim;
    struct process *sidecar;
    uint16_t port, admin;
};

/* A sidecar whose token file is `token_file`. */
static void stage_sidecar(struct stage *stage, const char *token_file)
{
    char connect_to[32];

    snprintf(connect_to, sizeof(connect_to), "::127.0.0.1:%u", sim_port(stage->sim));
    const char *options[] = { "run",
                              "--account",
                              "acme",
                              "--listen",
                              "127.0.0.1:0",
                              "--admin",
                              "127.0.0.1:0",
                              "--connect-to",
                              connect_to,
                              "--allow-address",
                              "127.0.0.0/8",
                              "--ca-file",
                              sim_ca_file(stage->sim),
                              "--token-file",
                              token_file,
                              "--token-wait",
                              "1m",
                              "--token-overlap",
                              "0s",
                              "--manifest",
                              folder_manifest(stage->folder, SIM_STORE "\t*\n"),
                              NULL };
    struct process_plan plan = { .program = "janus-sidecar",
                                 .work_folder = folder_path(stage->folder),
                                 .options = options };
    stage->sidecar = sidecar_start(&plan, &stage->port, &stage->admin);
    process_await_line(stage->sidecar, "event=token generation=1");
}

static void stage_close(struct stage *stage)
{
    clients_close();
    sidecar_stop(stage->sidecar);
    process_free(stage->sidecar);
    sim_stop(stage->sim);
    folder_free(stage->folder);
}

/* With a body of its own, or none. */
static void ask(struct client *client, const char *key, bool posts, unsigned long long newest)
{
    struct bytes request = { 0 };

    bytes_print(&request, "%s /_sim/private/%s HTTP/1.1\r\nHost: " SIM_STORE "\r\n",
                posts ? "POST" : "GET", key);
    if (newest)
        bytes_print(&request, "X-Sim-Newest: %llu\r\n", newest);
    if (posts)
        bytes_print(&request, "Content-Length: %zu\r\n\r\n%s", strlen(key), key);
    else
        bytes_print(&request, "\r\n");
    client_say(client, request.at);
    bytes_free(&request);
}

/* ---- a crowd
 * ---------------------------------------------------------------------------------------- */

static void expect_key(const json_t *keys, const char *key)
{
    const json_t *counts = json_object_get(keys, key);
    long long accepted = json_integer_value(json_object_get(counts, "accepted"));
    long long rejected = json_integer_value(json_object_get(counts, "rejected"));

    if (accepted != 1 || rejected != 1)
        fail_msg("%s was taken %lld times and refused %lld times", key, accepted, rejected);
}

/* All of them are refused before the new token is there, and wait for it together. */
static void crowd(void **state)
{
    enum { CROWD = 500 };
    static struct client *clients[CROWD];
    struct stage stage = { .folder = folder_new(), .sim = sim_start(NULL) };
    char *first = sim_token(stage.sim), *second, key[16];

    (void)state;
    const char *file = folder_write(stage.folder, "token", first);
    stage_sidecar(&stage, file);
    sim_rotate(stage.sim, &second);
    sim_tell(stage.sim, "/_sim/revoke?serial=1");
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    for (int i = 0; i < CROWD; i++) {
        clients[i] = client_new(stage.port);
        snprintf(key, sizeof(key), "order-%d", i);
        ask(clients[i], key, i % 2, 0);
    }
    for (long long until = now_ms() + PATIENCE_MS;
         SIM_COUNT(stage.sim, "private", "rejected") < CROWD;)
        assert_true(now_ms() < until);
    assert_int_equal(SIM_COUNT(stage.sim, "private", "accepted"), 0);
    long long since = now_ms();
    release(fd, second);
    for (int i = 0; i < CROWD; i++)
        expect_status(client_response(clients[i]), 200);
    printf("%d requests, refused and sent again: %lld ms\n", CROWD, now_ms() - since);
    json_t *stats = sim_ask(stage.sim, "GET", "/_sim/stats");
    for (int i = 0; i < CROWD; i++) {
        snprintf(key, sizeof(key), "order-%d", i);
        expect_key(json_object_get(json_object_get(stats, "private"), "keys"), key);
    }
    json_decref(stats);
    assert_non_null(strstr(process_log(stage.sidecar), "event=token generation=2"));
    assert_null(strstr(process_log(stage.sidecar), "event=token generation=3"));
    assert_null(strstr(process_log(stage.sidecar), first));
    assert_null(strstr(process_log(stage.sidecar), second));
    free(first);
    free(second);
    stage_close(&stage);
}

/* The same without a delay: whoever comes first asks, and the rest meets whatever is there. */
static void crowd_again_and_again(void **state)
{
    enum { CROWD = 50, TIMES = 6 };
    struct client *clients[CROWD];
    struct stage stage = { .folder = folder_new(), .sim = sim_start(NULL) };
    char target[48], key[16], *token = sim_token(stage.sim);

    (void)state;
    const char *file = folder_write(stage.folder, "token", token);
    stage_sidecar(&stage, file);
    for (int i = 0; i < CROWD; i++)
        clients[i] = client_new(stage.port);
    for (int turn = 0; turn < TIMES; turn++) {
        free(token);
        snprintf(target, sizeof(target), "/_sim/revoke?serial=%lld",
                 sim_rotate(stage.sim, &token) - 1);
        sim_tell(stage.sim, target);
        for (int i = 0; i < CROWD; i++) {
            snprintf(key, sizeof(key), "order-%d-%d", turn, i);
            ask(clients[i], key, i % 2, 0);
            if (i == CROWD / 2)
                folder_replace(stage.folder, "token", token);
        }
        /* those before the new token may be told of the old one's end, but nobody is served twice */
        for (int i = 0; i < CROWD; i++) {
            const struct response *response = client_response(clients[i]);
            assert_true(response->status == 200 || (response->status == 401 && i <= CROWD / 2));
        }
        for (long long until = now_ms() + PATIENCE_MS;;) {
            ask(clients[0], "probe", false, 0);
            if (client_response(clients[0])->status == 200)
                break;
            assert_true(now_ms() < until);
        }
    }
    json_t *stats = sim_ask(stage.sim, "GET", "/_sim/stats");
    const char *name;
    json_t *counts;
    json_object_foreach(json_object_get(json_object_get(stats, "private"), "keys"), name, counts)
    {
        if (strcmp(name, "probe") != 0)
            assert_true(json_integer_value(json_object_get(counts, "accepted")) <= 1);
    }
    json_decref(stats);
    free(token);
    stage_close(&stage);
}

/* ---- thousands of rotations
 * ------------------------------------------------------------------------- */

static unsigned long long newest_seen;

static void take_answer(struct client *client)
{
    const struct response *response = client_response(client);

    expect_status(response, 200);
    assert_true(response->complete);
    char *serial = head_field(response->head, "X-Sim-Serial");
    assert_non_null(serial);
    unsigned long long seen = strtoull(serial, NULL, 10);
    newest_seen = seen > newest_seen ? seen : newest_seen;
    free(serial);
}

/* Those that follow one another faster than they are read are one. */
static size_t generations(const char *log)
{
    size_t n = 0;

    while ((log = strstr(log, "event=token generation="))) {
        log += 6;
        n++;
    }
    return n;
}

/* Every client always has a request under way while the token changes beneath it. */
static void rotations(void **state)
{
    enum { ROTATIONS = 10000, CLIENTS = 6 };
    struct stage stage = { .folder = folder_new(), .sim = sim_start(NULL) };
    struct client *clients[CLIENTS], *rotator = sim_client(stage.sim, SIM_STORE);
    long long since = now_ms(), sent = 0;
    char key[16];

    (void)state;
    newest_seen = 0;
    stage_sidecar(&stage, sim_token_file(stage.sim));
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = client_new(stage.port);
        ask(clients[i], "load", i % 2, 0);
        sent++;
    }
    for (int i = 0; i < ROTATIONS; i++) {
        client_say(rotator, "POST /_sim/rotate HTTP/1.1\r\nHost: " SIM_STORE "\r\n\r\n");
        struct client *client = clients[i % CLIENTS];
        take_answer(client);
        snprintf(key, sizeof(key), "order-%d", i % 3000);
        ask(client, key, (i + i / CLIENTS) % 2, newest_seen);
        sent++;
        expect_status(client_response(rotator), 200);
    }
    for (int i = 0; i < CLIENTS; i++)
        take_answer(clients[i]);
    for (long long until = now_ms() + PATIENCE_MS; newest_seen < ROTATIONS + 1; sent++) {
        ask(clients[0], "last", false, newest_seen);
        take_answer(clients[0]);
        assert_true(now_ms() < until);
    }
    printf("%d rotations, %zu of them taken up, %lld requests: %lld ms\n", ROTATIONS,
           generations(process_log(stage.sidecar)), sent, now_ms() - since);
    assert_int_equal(SIM_COUNT(stage.sim, "private", "stale"), 0);
    assert_int_equal(SIM_COUNT(stage.sim, "private", "rejected"), 0);
    assert_int_equal(SIM_COUNT(stage.sim, "private", "accepted"), sent);
    assert_in_range(SIM_COUNT(stage.sim, "private", "marked"), ROTATIONS, sent);
    stage_close(&stage);
}

static struct single singles[] = {
    { "five hundred meet a revoked token", crowd },
    { "a crowd, again and again", crowd_again_and_again },
    { "ten thousand rotations under load", rotations },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, singles, single_run);
    return flow_run("rotation", &stories, NULL, NULL);
}
