/* Where the sidecar listens, other than at a port: Unix sockets, and sockets that a service manager hands
 * over. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/flow/kit_run.h"
#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define GET     "GET /v1/a HTTP/1.1\r\nHost: api.partner.example\r\n\r\n"
#define HEALTHZ "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define OK      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

enum { TEXT_MAX = 256 };

static struct world own;
/* The world's own folder has its name only when it is open; this one is there before. */
static struct folder *place;

static const char *at(const char *name)
{
    return folder_name(place, name);
}

/* A world that also listens at `listen`, which holds one %s for a path in our folder. */
static void open_with_more(const char *flag, const char *listen, const char *more, const char *what)
{
    static char value[2 * TEXT_MAX];
    struct plan plan = { .options = { flag, value, more, what } };

    snprintf(value, sizeof(value), "%s", listen);
    world_open(&own, &plan);
}

static void open_with(const char *flag, const char *listen)
{
    open_with_more(flag, listen, NULL, NULL);
}

static char *address_of(const char *name, const char *suffix)
{
    static char text[2 * TEXT_MAX];

    snprintf(text, sizeof(text), "unix:%s%s", at(name), suffix);
    return text;
}

static mode_t mode_of(const char *path)
{
    struct stat found;

    assert_int_equal(lstat(path, &found), 0);
    return found.st_mode & 07777;
}

static bool stands(const char *path)
{
    struct stat found;

    return lstat(path, &found) == 0;
}

static void exchange_at(const char *path)
{
    struct client *client = client_new_unix(path);

    client_say(client, GET);
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    origin_close(conn);
    expect_body(client_response(client), "ok");
    client_close(client);
}

/* ---- Unix sockets
 * ---------------------------------------------------------------------------------- */

static void unix_serves(void **state)
{
    char who[64];

    (void)state;
    open_with("--listen", address_of("s", ""));
    assert_non_null(strstr(process_log(own.sidecar), address_of("s", " admin=")));
    assert_int_equal(mode_of(at("s")), 0600);
    exchange_at(at("s"));
    snprintf(who, sizeof(who), "client=\"unix:uid=%u\"", (unsigned)geteuid());
    process_await_line(own.sidecar, who);
    free(world_exchange(&own, GET)); /* beside the port */
    world_close(&own);
    assert_false(stands(at("s")));
}

static void unix_mode_and_group(void **state)
{
    const struct group *group = getgrgid(getegid());
    char suffix[TEXT_MAX];
    struct stat found;

    (void)state;
    assert_non_null(group);
    snprintf(suffix, sizeof(suffix), ",mode=0660,group=%s", group->gr_name);
    open_with("--listen", address_of("s", suffix));
    assert_int_equal(mode_of(at("s")), 0660);
    assert_int_equal(stat(at("s"), &found), 0);
    assert_int_equal(found.st_gid, getegid());
    exchange_at(at("s"));
    world_close(&own);
}

/* Nobody who names no host of his own is left without one: `curl --unix-socket S http://localhost/`. */
static void unix_is_ourselves(void **state)
{
    (void)state;
    open_with("--listen", address_of("s", ""));
    struct client *client = client_new_unix(at("s"));
    client_say(client, "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
    struct origin_conn *conn = origin_accept(own.origin);
    expect_in(origin_head(conn), "Host: storeacct.vtexcommercestable.com.br\r\n");
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    world_close(&own);
}

static void unix_admin(void **state)
{
    struct run run = { 0 };
    char options[2 * TEXT_MAX];

    (void)state;
    folder_manifest(place, "api.partner.example\t/v1/*\n");
    folder_write(place, "token", TOKEN);
    const char *words[] = { "run",
                            "--account",
                            "storeacct",
                            "--listen",
                            "127.0.0.1:0",
                            "--admin",
                            address_of("a", ",mode=0666"),
                            "--token-file",
                            at("token"),
                            "--manifest",
                            at("manifest.json"),
                            NULL };
    struct process_plan plan = { .program = "janus-sidecar", .options = words };
    struct process *sidecar = process_start(&plan);
    process_await_line(sidecar, " admin=unix:/");
    process_await_line(sidecar, "event=token");
    struct client *client = client_new_unix(at("a"));
    client_say(client, HEALTHZ);
    expect_status(client_response(client), 200);
    client_close(client);
    run.folder = place;
    snprintf(options, sizeof(options), "token --account storeacct --admin unix:%s", at("a"));
    run_in(&run, options, NULL);
    expect_code(&run, 0);
    expect_in(process_output(run.process), "the running sidecar");
    process_free(run.process);
    sidecar_stop(sidecar);
    process_free(sidecar);
    assert_false(stands(at("a")));
}

/* What a client's half-close means is told from its leaving as on TCP. */
static void unix_half_close(void **state)
{
    (void)state;
    open_with_more("--listen", address_of("s", ""), "--threads", "1"); /* one pool */
    struct client *client = client_new_unix(at("s"));
    client_say(client, GET);
    client_shut(client);
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    client_close(client);
    client = client_new_unix(at("s"));
    client_say(client, GET);
    origin_head(conn); /* the connection was kept */
    client_close(client);
    process_await_line(own.sidecar, "outcome=client_gone");
    world_close(&own);
}

/* ---- what stands there already
 * --------------------------------------------------------------------- */

/* A socket that somebody listens at, while the descriptor is open. */
static int listener_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void expect_refusal(const char *listen, const char *says)
{
    char options[2 * TEXT_MAX];
    struct run run = { .folder = place };

    folder_manifest(place, "api.partner.example\t/v1/*\n");
    snprintf(options, sizeof(options), "run --account storeacct --admin 127.0.0.1:0 --listen %s",
             listen);
    run_in(&run, options, NULL);
    if (run.code != 2 || !strstr(process_log(run.process), says))
        fail_msg("%d, and \"%s\" was expected:\n%s", run.code, says, process_log(run.process));
    process_free(run.process);
}

static void stale_is_replaced(void **state)
{
    (void)state;
    close(listener_at(at("s")));
    open_with("--listen", address_of("s", ""));
    exchange_at(at("s"));
    world_close(&own);
    assert_false(stands(at("s")));
}

/* One that was killed leaves its socket, and the next takes its place. */
static void killed_is_replaced(void **state)
{
    (void)state;
    open_with("--listen", address_of("s", ""));
    process_signal(own.sidecar, SIGKILL);
    process_wait(own.sidecar);
    world_forget(&own);
    assert_true(stands(at("s")));
    open_with("--listen", address_of("s", ""));
    exchange_at(at("s"));
    world_close(&own);
}

static void live_is_not_touched(void **state)
{
    int fd = listener_at(at("s"));

    (void)state;
    expect_refusal(address_of("s", ""), "somebody listens there already");
    assert_false(client_unix_is_refused(at("s")));
    close(fd);
}

static void file_is_not_touched(void **state)
{
    (void)state;
    folder_write(place, "s", "precious");
    expect_refusal(address_of("s", ""), "no socket; it was not touched");
    assert_int_equal(truncate(at("s"), 8), 0); /* it is still there */
}

static void link_is_not_followed(void **state)
{
    int fd = listener_at(at("real"));

    (void)state;
    close(fd);
    assert_int_equal(symlink(at("real"), at("s")), 0);
    expect_refusal(address_of("s", ""), "no socket; it was not touched");
    assert_true(stands(at("real")));
}

static void unknown_group(void **state)
{
    (void)state;
    expect_refusal(address_of("s", ",group=no-such-group"), "no such group");
    assert_false(stands(at("s")));
}

static void no_folder(void **state)
{
    (void)state;
    expect_refusal(address_of("nowhere/s", ""), "No such file or directory");
}

/* Who has put his own socket there meanwhile keeps it. */
static void not_ours_any_more(void **state)
{
    (void)state;
    open_with("--listen", address_of("s", ""));
    unlink(at("s"));
    int fd = listener_at(at("s"));
    world_close(&own);
    assert_false(client_unix_is_refused(at("s")));
    close(fd);
}

/* ---- systemd
 * --------------------------------------------------------------------------------------- */

static int port_listener(const char *host, uint16_t *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(inet_pton(AF_INET, host, &address.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* LISTEN_PID must be the child's own: a shell puts it there, and becomes the sidecar. */
static struct process *start_handed(int first, int second, const char *names, const char *pid,
                                    const char *listen)
{
    static char script[4 * TEXT_MAX];
    static const char *words[] = { "-c", script, NULL };
    struct process_plan plan = { .folder = "/bin", .program = "sh", .options = words };

    snprintf(script, sizeof(script),
             "LISTEN_PID=%s LISTEN_FDS=2 LISTEN_FDNAMES=%s exec %s/janus-sidecar run "
             "--account storeacct --manifest %s --listen %s --admin 127.0.0.1:0",
             pid, names, process_folder(), at("manifest.json"), listen);
    folder_manifest(place, "api.partner.example\t/v1/*\n");
    plan.handed[0] = first;
    plan.handed[1] = second;
    return process_start(&plan);
}

static void handed_over(void **state)
{
    uint16_t first_port, second_port;
    int first = port_listener("127.0.0.1", &first_port);
    int second = port_listener("127.0.0.1", &second_port);

    (void)state;
    struct process *sidecar = start_handed(first, second, "proxy:proxy", "$$", "systemd:proxy");
    char *ready = process_await(sidecar, "ready ");
    char want[64];
    snprintf(want, sizeof(want), "listen=127.0.0.1:%u listen=127.0.0.1:%u", first_port,
             second_port);
    expect_in(ready, want);
    free(ready);
    for (int i = 0; i < 2; i++) {
        struct client *client = client_new(i ? second_port : first_port);
        client_say(client, "GET /no HTTP/1.1\r\nHost: api.partner.example\r\n\r\n");
        expect_status(client_response(client), 403);
        client_close(client);
    }
    sidecar_stop(sidecar);
    process_free(sidecar);
    assert_false(client_is_refused(first_port)); /* the service manager's own stays */
    close(first);
    close(second);
}

static struct handed {
    const char *name, *host, *names, *pid, *listen, *says;
} handeds[] = {
    { "another name", "127.0.0.1", "a:b", "$$", "systemd:c", "of the name c was handed over" },
    { "the names are told", "127.0.0.1", "a:b", "$$", "systemd:c", "there are: a b" },
    { "for another process", "127.0.0.1", "a:b", "1", "systemd:a", "there is none at all" },
    { "off loopback", "0.0.0.0", "a:b", "$$", "systemd:a", "--unsafe-listen" },
    { "one that nobody names", "127.0.0.1", "a:b", "$$", "systemd:a --inject sometimes",
      "--inject" },
};

static void handed_badly(void **state)
{
    const struct handed *story = *state;
    uint16_t port;
    int first = port_listener(story->host, &port), second = port_listener("127.0.0.1", &port);
    struct process *sidecar = start_handed(first, second, story->names, story->pid, story->listen);

    assert_int_equal(process_wait(sidecar), 2);
    expect_in(process_log(sidecar), story->says);
    process_free(sidecar);
    close(first);
    close(second);
}

/* A datagram socket, and one that does not listen. */
static void handed_wrong_kind(void **state)
{
    int datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int deaf = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    struct process *sidecar = start_handed(datagrams, deaf, "a:b", "$$", "systemd:a");
    assert_int_equal(process_wait(sidecar), 2);
    expect_in(process_log(sidecar), "not a stream socket");
    process_free(sidecar);
    sidecar = start_handed(datagrams, deaf, "a:b", "$$", "systemd:b");
    assert_int_equal(process_wait(sidecar), 2);
    expect_in(process_log(sidecar), "it does not listen");
    process_free(sidecar);
    close(datagrams);
    close(deaf);
}

static struct single singles[] = {
    { "a Unix socket serves", unix_serves },
    { "its mode and group", unix_mode_and_group },
    { "localhost over it is the sidecar itself", unix_is_ourselves },
    { "the admin listener at one", unix_admin },
    { "a client that half-closes", unix_half_close },
    { "a stale socket is replaced", stale_is_replaced },
    { "so is one of a sidecar that was killed", killed_is_replaced },
    { "a socket with a listener is not touched", live_is_not_touched },
    { "a file is not touched", file_is_not_touched },
    { "a link is not followed", link_is_not_followed },
    { "an unknown group", unknown_group },
    { "a folder that is not there", no_folder },
    { "a path that somebody else has taken", not_ours_any_more },
    { "sockets that are handed over", handed_over },
    { "sockets of the wrong kind", handed_wrong_kind },
};

static void run_single(void **state)
{
    const struct single *story = *state;

    story_in_folder(&place, state, story->run);
}

static void run_handed(void **state)
{
    story_in_folder(&place, state, handed_badly);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, singles, run_single);
    STORIES_ADD(&stories, handeds, run_handed);
    return flow_run("listeners", &stories, NULL, NULL);
}
