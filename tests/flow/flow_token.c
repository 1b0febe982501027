/* A token that changes, is late, is half there, or has expired: what leaves, and what is answered. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define STORE     "Host: storeacct.vtexcommercestable.com.br\r\n"
#define ELSE      "Host: any.partner.example\r\n"
#define GET_STORE "GET /api/x HTTP/1.1\r\n" STORE "\r\n"

/* ---- a token that changes
 * -------------------------------------------------------------------------- */

static void goes_as(struct world *in, const char *token)
{
    char *seen = world_exchange(in, GET_STORE);
    char *sent = head_field(seen, "VtexIdclientAutCookie");

    if (!sent || strcmp(sent, token) != 0)
        fail_msg("it went as %s, not as %s", sent ? sent : "nobody", token);
    free(sent);
    free(seen);
}

static void replaced_by_rename(struct world *in)
{
    folder_replace(in->folder, "token", "second-token\n");
}

static void replaced_in_place(struct world *in)
{
    folder_write(in->folder, "token", "second-token\r\n");
}

static void gone_and_back(struct world *in)
{
    unlink(folder_name(in->folder, "token"));
    goes_as(in, TOKEN); /* the last one that was good */
    folder_write(in->folder, "token", "second-token");
}

static struct rotation {
    const char *name;
    void (*replace)(struct world *in);
} rotations[] = {
    { "replaced by a rename", replaced_by_rename },
    { "truncated and written", replaced_in_place },
    { "removed, and written again", gone_and_back },
};

static void rotated(void **state)
{
    const struct rotation *story = *state;
    struct world own;

    world_open(&own, NULL);
    process_await_line(own.sidecar, "event=token generation=1");
    goes_as(&own, TOKEN);
    story->replace(&own);
    process_await_line(own.sidecar, "event=token generation=2");
    goes_as(&own, "second-token");
    assert_null(strstr(process_log(own.sidecar), "second-token"));
    world_close(&own);
}

/* As Kubernetes does it: token -> ..data/token, ..data -> ..1, and ..data is swapped. */
static void symlink_swap(void **state)
{
    static const struct plan plan = { .token = "" };
    struct world own;

    (void)state;
    world_open(&own, &plan);
    const char *data = folder_name(own.folder, "..data"), *next = folder_name(own.folder, "..next");
    const char *names[] = { "..1", "..2" };
    for (int i = 0; i < 2; i++) {
        char inside[16], token[16], line[48];
        assert_int_equal(mkdir(folder_name(own.folder, names[i]), 0700), 0);
        snprintf(inside, sizeof(inside), "%s/token", names[i]);
        snprintf(token, sizeof(token), "mounted-%d", i + 1);
        folder_write(own.folder, inside, token);
        assert_int_equal(symlink(names[i], next), 0);
        assert_int_equal(rename(next, data), 0);
        if (i == 0)
            assert_int_equal(symlink("..data/token", folder_name(own.folder, "token")), 0);
        snprintf(line, sizeof(line), "event=token generation=%d", i + 1);
        process_await_line(own.sidecar, line);
        goes_as(&own, token);
    }
    world_close(&own);
}

static void bad_replacement(void **state)
{
    struct world own;

    (void)state;
    world_open(&own, NULL);
    process_await_line(own.sidecar, "event=token generation=1");
    folder_replace(own.folder, "token", "");
    process_await_line(own.sidecar, "its last token stays in use");
    goes_as(&own, TOKEN);
    folder_replace(own.folder, "token", "two words");
    process_await_line(own.sidecar, "its last token stays in use");
    goes_as(&own, TOKEN);
    world_close(&own);
}

/* Written in two pieces, with the file open in between: whatever else happens in the folder, the first
 * piece is not taken for the whole. */
static void written_in_pieces(void **state)
{
    static const char whole[] = "second-token-whole";
    struct world own;

    (void)state;
    world_open(&own, NULL);
    process_await_line(own.sidecar, "event=token generation=1");
    int fd = open(folder_name(own.folder, "token"), O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(write(fd, whole, 12), 12);
    folder_write(own.folder, "other", "somebody else's");
    process_await_line(own.sidecar, "somebody is writing it; its last token stays in use");
    goes_as(&own, TOKEN);
    assert_int_equal(write(fd, whole + 12, strlen(whole) - 12), strlen(whole) - 12);
    folder_replace(own.folder, "other", "somebody else's");
    goes_as(&own, TOKEN);
    close(fd);
    process_await_line(own.sidecar, "event=token generation=2");
    goes_as(&own, whole);
    world_close(&own);
}

/* Somebody wrote it, and died. */
static void half_a_jwt(void **state)
{
    char *fresh = jwt_text("fresh", time(NULL) + 600);
    static const size_t cuts[] = { 10, 40 }; /* within the first part, within the second */
    struct world own;

    (void)state;
    world_open(&own, NULL);
    process_await_line(own.sidecar, "event=token generation=1");
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        char *half = text_copy(fresh, cuts[i]);
        folder_replace(own.folder, "token", half);
        if (i == 0) /* the second time is not told again */
            process_await_line(own.sidecar, "three parts; is it cut off?; its last token stays");
        goes_as(&own, TOKEN);
        free(half);
    }
    folder_replace(own.folder, "token", fresh);
    process_await_line(own.sidecar, "event=token generation=2");
    goes_as(&own, fresh);
    world_close(&own);
    free(fresh);
}

/* A request keeps the token that it began with. */
static void rotated_in_between(void **state)
{
    struct world own;

    (void)state;
    world_open(&own, NULL);
    struct client *client = world_client(&own);
    client_say(client, "POST /api/x HTTP/1.1\r\n" STORE "Content-Length: 5\r\n\r\nhe");
    struct origin_conn *conn = origin_accept(own.origin);
    assert_non_null(strstr(origin_head(conn), "\r\nVtexIdclientAutCookie: " TOKEN "\r\n"));
    folder_replace(own.folder, "token", "second-token");
    process_await_line(own.sidecar, "event=token generation=2");
    client_say(client, "llo");
    assert_string_equal(origin_bytes(conn, 5), "hello");
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect_status(client_response(client), 200);
    char *line = process_await(own.sidecar, "outcome=relayed");
    assert_non_null(strstr(line, "token_generation=1"));
    free(line);
    world_close(&own);
}

/* ---- a token that is not there
 * --------------------------------------------------------------------- */

static const struct plan late = { .token = "", .options = { "--token-wait", "300ms" } };

static void expect_unavailable(struct world *in, const char *request)
{
    const struct response *answer = world_refused(in, request);

    expect_answer(answer, 503, "TokenUnavailable", "no live app token");
    expect_header(answer, "Retry-After", "5");
}

static void absent(void **state)
{
    struct world own;
    long long before = now_ms();

    (void)state;
    world_open(&own, &late);
    expect_unavailable(&own, GET_STORE);
    assert_true(now_ms() - before >= 290);
    expect_unavailable(&own, "POST /api/x HTTP/1.1\r\n" STORE "Content-Length: 2\r\n\r\n{}");
    char *seen = world_exchange(&own, "GET /a HTTP/1.1\r\n" ELSE "\r\n"); /* needs none */
    free(seen);
    world_close(&own);
}

static void arrives_while_waiting(void **state)
{
    static const struct plan patient = { .token = "", .options = { "--token-wait", "1m" } };
    struct world own;

    (void)state;
    world_open(&own, &patient);
    struct client *client = world_client(&own), *other = world_client(&own);
    client_say(client, "POST /api/x HTTP/1.1\r\n" STORE "Content-Length: 5\r\n\r\nhe");
    client_say(other, GET_STORE);
    client_say(client, "llo");
    free(world_exchange(&own, "GET /a HTTP/1.1\r\n" ELSE "\r\n")); /* by now both are waiting */
    origin_untouched(own.origin);
    folder_replace(own.folder, "token", "late-token");
    for (int i = 0; i < 2; i++) {
        struct origin_conn *conn = origin_accept(own.origin);
        const char *head = origin_head(conn);
        assert_non_null(strstr(head, "\r\nVtexIdclientAutCookie: late-token\r\n"));
        if (strncmp(head, "POST", 4) == 0)
            assert_string_equal(origin_bytes(conn, 5), "hello");
        origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
    expect_status(client_response(client), 200);
    expect_status(client_response(other), 200);
    world_close(&own);
}

static void leaves_while_waiting(void **state)
{
    static const struct plan patient = { .token = "", .options = { "--token-wait", "1m" } };
    struct world own;

    (void)state;
    world_open(&own, &patient);
    struct client *client = world_client(&own);
    client_say(client, GET_STORE);
    free(world_exchange(&own, "GET /a HTTP/1.1\r\n" ELSE "\r\n"));
    client_close(client);
    process_await_line(own.sidecar, "outcome=client_gone");
    folder_replace(own.folder, "token", "late-token");
    process_await_line(own.sidecar, "event=token generation=1");
    goes_as(&own, "late-token"); /* the one that left is not carried out */
    origin_untouched(own.origin);
    world_close(&own);
}

static void expired(void **state)
{
    char *old = jwt_text("old", time(NULL) - 10), *fresh = jwt_text("fresh", time(NULL) + 600);
    struct plan plan = late;
    struct world own;

    (void)state;
    plan.token = old;
    world_open(&own, &plan);
    expect_unavailable(&own, GET_STORE);
    folder_replace(own.folder, "token", fresh);
    process_await_line(own.sidecar, "event=token generation=1");
    goes_as(&own, fresh);
    folder_replace(own.folder, "token", old); /* somebody puts the old one back */
    process_await_line(own.sidecar, "has expired already; its last token stays in use");
    goes_as(&own, fresh);
    assert_null(strstr(process_log(own.sidecar), old));
    assert_null(strstr(process_log(own.sidecar), fresh));
    world_close(&own);
    free(old);
    free(fresh);
}

/* It is live when it is read, and no more when it is needed. */
static void expires(void **state)
{
    time_t end = time(NULL) + 2;
    char *token = jwt_text("short", end);
    struct plan plan = late;
    struct world own;

    (void)state;
    plan.token = token;
    world_open(&own, &plan);
    goes_as(&own, token);
    while (time(NULL) < end)
        wait_any(NULL, 0, now_ms() + 50); /* for the clock: the one event that nobody reports */
    expect_unavailable(&own, GET_STORE);
    world_close(&own);
    free(token);
}

/* It is live when the request asks for the origin, and no more when the origin is there. */
static void expires_on_the_way(void **state)
{
    static const struct plan slow = { .options = { "--connect-timeout", "20s" } };
    struct world own;

    (void)state;
    world_open(&own, &slow);
    process_await_line(own.sidecar, "event=token generation=1");
    time_t end = time(NULL) + 2;
    char *token = jwt_text("short", end);
    folder_replace(own.folder, "token", token);
    process_await_line(own.sidecar, "event=token generation=2");
    struct client *client = world_client(&own);
    client_say(client, GET_STORE);
    struct origin_conn *conn = origin_connected(own.origin);
    while (time(NULL) < end)
        wait_any(NULL, 0, now_ms() + 50); /* for the clock */
    origin_shake_hands(conn);
    expect_answer(client_response(client), 503, "TokenUnavailable", "expired");
    origin_await_end(conn);
    assert_int_equal(origin_unread(conn), 0);
    assert_null(strstr(process_log(own.sidecar), token));
    world_close(&own);
    free(token);
}

/* The 503 was said, its request's body has not come to an end, and then the token comes. */
static void arrives_too_late(void **state)
{
    struct world own;

    (void)state;
    world_open(&own, &late);
    struct client *client = world_client(&own);
    client_say(client, "POST /api/x HTTP/1.1\r\n" STORE "Content-Length: 5\r\n\r\nhe");
    expect_answer(client_response(client), 503, "TokenUnavailable", "");
    folder_replace(own.folder, "token", TOKEN);
    process_await_line(own.sidecar, "event=token generation=1");
    goes_as(&own, TOKEN);
    client_say(client, "llo" GET_STORE); /* and the connection is still good */
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect_status(client_response(client), 200);
    world_close(&own);
}

static struct single singles[] = {
    { "a symbolic link is swapped", symlink_swap },
    { "a replacement that is no token", bad_replacement },
    { "written in two pieces", written_in_pieces },
    { "half a JWT", half_a_jwt },
    { "replaced while a request is under way", rotated_in_between },
    { "no token", absent },
    { "a token arrives while requests wait", arrives_while_waiting },
    { "a client leaves while it waits for a token", leaves_while_waiting },
    { "a token that has expired", expired },
    { "a token that expires", expires },
    { "a token that expires while the origin is being reached", expires_on_the_way },
    { "a token that comes after the 503", arrives_too_late },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, rotations, rotated);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("token", &stories, NULL, NULL);
}
