#include "tests/flow/kit_renewal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ASIDE "aside/token"

void hush(struct world *world)
{
    assert_int_equal(mkdir(folder_name(world->folder, "aside"), 0700), 0);
    assert_int_equal(link(folder_name(world->folder, "token"), folder_name(world->folder, ASIDE)),
                     0);
}

void slip(struct world *world, const char *token)
{
    folder_write(world->folder, ASIDE, token);
}

int hold(struct world *world)
{
    int fd = open(folder_name(world->folder, "token"), O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

void release(int fd, const char *token)
{
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(write(fd, token, strlen(token)), (ssize_t)strlen(token));
    close(fd);
}

void renewal_open(struct world *world, const struct plan *plan)
{
    static const struct plan usual = { .options = { "--token-overlap", "0s" } };

    world_open(world, plan ? plan : &usual);
    process_await_line(world->sidecar, "event=token generation=1");
    hush(world);
}

void renewal_close(struct world *world)
{
    assert_null(strstr(process_log(world->sidecar), OLD));
    assert_null(strstr(process_log(world->sidecar), NEW));
    world_close(world);
}

struct bytes body_of(struct origin_conn *conn, const char *head)
{
    struct bytes body = { 0 };
    char *length = head_field(head, "Content-Length");
    char *coding = head_field(head, "Transfer-Encoding");
    size_t n = length ? strtoul(length, NULL, 10) : 0;

    bytes_add(&body, "", 0);
    if (coding) {
        const char *decoded = origin_chunked(conn, &n);
        bytes_add(&body, decoded, n);
    } else if (n) {
        const char *bytes = origin_bytes(conn, n);
        bytes_add(&body, bytes, n);
    }
    free(length);
    free(coding);
    return body;
}

char *replaced(const char *text, const char *old, const char *new)
{
    struct bytes out = { 0 };
    const char *found;

    bytes_add(&out, "", 0);
    for (; (found = strstr(text, old)); text = found + strlen(old)) {
        bytes_add(&out, text, (size_t)(found - text));
        bytes_add(&out, new, strlen(new));
    }
    bytes_add(&out, text, strlen(text));
    return out.at;
}

void expect_again(struct origin_conn *conn, const char *first, const struct bytes *body)
{
    char *wanted = replaced(first, OLD, NEW);

    assert_string_equal(origin_head(conn), wanted);
    struct bytes again = body_of(conn, wanted);
    assert_int_equal(again.n, body->n);
    assert_memory_equal(again.at, body->at, body->n);
    bytes_free(&again);
    free(wanted);
}

void goes_as(struct world *world, const char *token)
{
    char *seen = world_exchange(world, GET_STORE);
    char *sent = head_field(seen, "VtexIdclientAutCookie");

    if (!sent || strcmp(sent, token) != 0)
        fail_msg("it went as %s, not as %s", sent ? sent : "nobody", token);
    free(sent);
    free(seen);
}

void expect_connections(const struct world *world, unsigned n)
{
    origin_untouched(world->origin);
    assert_int_equal(origin_accepted(world->origin), n);
}
