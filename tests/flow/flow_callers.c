/* Who may call: users at a Unix socket, and whoever knows the secret. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/flow/kit_run.h"
#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define GET    "GET /v1/a HTTP/1.1\r\nHost: api.partner.example\r\n"
#define SECRET "a-secret-of-callers"
#define OTHER  "another-secret-of-callers"
#define HEADER "X-Janus-Caller: "
#define READYZ "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define RELOAD "POST /reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"

static struct world own;
static struct folder *place;

static void open_with_secret(const char *secret)
{
    static char path[256];
    static const struct plan plan = { .options = { "--caller-secret-file", path } };

    snprintf(path, sizeof(path), "%s", folder_name(place, "secret"));
    if (secret)
        folder_write(place, "secret", secret);
    world_open(&own, &plan);
}

static void expect_allowed(const char *request)
{
    char *head = world_exchange(&own, request);

    if (strstr(head, "X-Janus-Caller") || strstr(head, SECRET) || strstr(head, OTHER))
        fail_msg("the secret reached the origin:\n%s", head);
    free(head);
}

static void expect_refused(const char *request)
{
    expect_answer(world_refused(&own, request), 403, "CallerRefused", "X-Janus-Caller");
}

/* ---- the secret
 * ------------------------------------------------------------------------------------ */

static struct known {
    const char *name, *lines;
    bool may;
} knowns[] = {
    { "the secret", HEADER SECRET "\r\n", true },
    { "no header", "", false },
    { "an empty header", HEADER "\r\n", false },
    { "another secret", HEADER OTHER "\r\n", false },
    { "the beginning of it", HEADER "a-secret-of-caller\r\n", false },
    { "more than it", HEADER SECRET "x\r\n", false },
    { "in capitals", HEADER "A-SECRET-OF-CALLERS\r\n", false },
    { "twice", HEADER SECRET "\r\n" HEADER SECRET "\r\n", false },
    { "first wrong, then right", HEADER OTHER "\r\n" HEADER SECRET "\r\n", false },
    { "a browser that knows it", HEADER SECRET "\r\nOrigin: https://evil.test\r\n", false },
};

static void knows(void **state)
{
    const struct known *story = *state;
    char request[512];

    snprintf(request, sizeof(request), GET "%s\r\n", story->lines);
    open_with_secret(SECRET "\n");
    if (story->may)
        expect_allowed(request);
    else
        expect_answer(world_refused(&own, request), 403, "CallerRefused", "");
    world_close(&own);
    assert_null(strstr(request, "\n\n"));
}

static void stripped_without_the_setting(void **state)
{
    (void)state;
    world_open(&own, NULL);
    expect_allowed(GET HEADER SECRET "\r\n\r\n");
    world_close(&own);
}

static void secret_changes(void **state)
{
    (void)state;
    open_with_secret(SECRET);
    expect_allowed(GET HEADER SECRET "\r\n\r\n");
    folder_replace(place, "secret", OTHER "\n");
    process_await_line(own.sidecar, "event=caller_secret");
    expect_allowed(GET HEADER OTHER "\r\n\r\n");
    expect_refused(GET HEADER SECRET "\r\n\r\n");
    folder_replace(place, "secret", "short");
    process_await_line(own.sidecar, "16 to 1024 bytes; the secret of before stays in force");
    expect_allowed(GET HEADER OTHER "\r\n\r\n");
    assert_null(strstr(process_log(own.sidecar), OTHER));
    world_close(&own);
}

static void secret_comes_later(void **state)
{
    (void)state;
    open_with_secret(NULL);
    assert_non_null(strstr(process_log(own.sidecar), "every request is refused"));
    expect_refused(GET HEADER SECRET "\r\n\r\n");
    folder_write(place, "secret", SECRET);
    process_await_line(own.sidecar, "is in force");
    expect_allowed(GET HEADER SECRET "\r\n\r\n");
    world_close(&own);
}

static unsigned ask_admin(const char *request)
{
    struct client *client = client_new(own.admin_port);

    client_say(client, request);
    unsigned status = client_response(client)->status;
    client_close(client);
    return status;
}

/* Probes need not know it; who changes something must. */
static void secret_of_actions(void **state)
{
    (void)state;
    open_with_secret(SECRET);
    process_await_line(own.sidecar, "event=token");
    assert_int_equal(ask_admin(READYZ), 200);
    assert_int_equal(ask_admin(RELOAD "\r\n"), 403);
    assert_int_equal(ask_admin(RELOAD HEADER OTHER "\r\n\r\n"), 403);
    assert_int_equal(ask_admin(RELOAD HEADER SECRET "\r\n\r\n"), 200);
    world_close(&own);
}

static struct bad {
    const char *name, *content, *says;
} bads[] = {
    { "a short secret", "short\n", "16 to 1024 bytes" },
    { "a secret with a blank", "a secret with blanks", "visible ASCII" },
    { "an empty file", "", "16 to 1024 bytes" },
    { "two lines", "a-secret-of-callers\nanother-secret\n", "visible ASCII" },
};

static void bad_secret(void **state)
{
    const struct bad *story = *state;
    struct run run = { .folder = place };

    folder_manifest(place, "api.partner.example\t/v1/*\n");
    folder_write(place, "secret", story->content);
    run_in(&run,
           "run --account storeacct --listen 127.0.0.1:0 --admin 127.0.0.1:0 "
           "--caller-secret-file secret",
           NULL);
    expect_code(&run, 2);
    expect_in(process_log(run.process), story->says);
    process_free(run.process);
}

/* ---- users
 * ----------------------------------------------------------------------------------------- */

enum { STRANGER = 12345 };

/* The kernel notes the user who connects. */
static struct client *client_of(uid_t uid, gid_t gid, const char *path)
{
    assert_int_equal(setegid(gid), 0);
    assert_int_equal(seteuid(uid), 0);
    struct client *client = client_new_unix(path);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(setegid(0), 0);
    return client;
}

static struct user {
    const char *name, *options[4];
    uid_t uid;
    gid_t gid;
    bool may;
} users[] = {
    { "nobody is named", { NULL }, STRANGER, STRANGER, true },
    { "the user is named", { "--allow-uid", "1,12345" }, STRANGER, STRANGER, true },
    { "another user is named", { "--allow-uid", "12346" }, STRANGER, STRANGER, false },
    { "the group is named", { "--allow-gid", "12345" }, 777, STRANGER, true },
    { "another group is named", { "--allow-gid", "12346" }, STRANGER, STRANGER, false },
    { "a user with the group's number", { "--allow-gid", "777" }, 777, STRANGER, false },
    { "root always", { "--allow-uid", "12346" }, 0, 0, true },
    { "either will do", { "--allow-uid", "777", "--allow-gid", "1" }, 777, STRANGER, true },
};

static void user_calls(void **state)
{
    const struct user *story = *state;
    static char listen[256];
    struct plan plan = { .options = { "--listen", listen } };

    if (geteuid() != 0)
        skip(); /* only root can be somebody else */
    for (size_t i = 0; i < 4; i++)
        plan.options[2 + i] = story->options[i];
    snprintf(listen, sizeof(listen), "unix:%s,mode=0666", folder_name(place, "s"));
    assert_int_equal(chmod(folder_path(place), 0755), 0);
    world_open(&own, &plan);
    struct client *client = client_of(story->uid, story->gid, folder_name(place, "s"));
    client_say(client, "GET /v2/no HTTP/1.1\r\nHost: api.partner.example\r\n\r\n");
    expect_answer(client_response(client), 403,
                  story->may ? "OutboundAccessDenied" : "CallerRefused", "");
    char who[64];
    snprintf(who, sizeof(who), "client=\"unix:uid=%u\"", (unsigned)story->uid);
    process_await_line(own.sidecar, who);
    world_close(&own);
}

static void ports_stay_open(void **state)
{
    static const struct plan plan = { .options = { "--allow-uid", "12346" } };

    (void)state;
    world_open(&own, &plan);
    expect_in(process_log(own.sidecar), "stays open to every user of this machine");
    free(world_exchange(&own, GET "\r\n"));
    world_close(&own);
}

/* ---- DNS rebinding: the page's own name leads to us, and nothing but Host tells
 * -------------------- */

static void rebound_proxy(void **state)
{
    (void)state;
    world_open(&own, NULL);
    expect_answer(world_refused(&own, "GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n"), 403,
                  "OutboundAccessDenied", "evil.test");
    expect_answer(world_refused(&own, "GET / HTTP/1.1\r\nHost: evil.test:8380\r\n\r\n"), 403,
                  "OutboundAccessDenied", "evil.test");
    world_close(&own);
}

static struct host {
    const char *name, *host;
    unsigned status;
} hosts[] = {
    { "localhost", "Host: localhost\r\n", 200 },
    { "localhost with a port", "Host: LOCALHOST:8381\r\n", 200 },
    { "an IPv4 address", "Host: 10.1.2.3:8381\r\n", 200 },
    { "an IPv6 address", "Host: [::1]:8381\r\n", 200 },
    { "a name of --admin-host", "Host: Sidecar.internal:8381\r\n", 200 },
    { "a page's own name", "Host: evil.test\r\n", 403 },
    { "a page's own name with our port", "Host: evil.test:8381\r\n", 403 },
    { "a name that begins with an address", "Host: 127.0.0.1.evil.test\r\n", 403 },
    { "a name below localhost", "Host: x.localhost\r\n", 403 },
    { "two hosts, the second a name", "Host: localhost\r\nHost: evil.test\r\n", 403 },
    { "an empty host", "Host:\r\n", 403 },
};

static void admin_host(void **state)
{
    static const struct plan plan = { .options = { "--admin-host", "sidecar.internal" } };
    const struct host *story = *state;
    char request[256];

    world_open(&own, &plan);
    snprintf(request, sizeof(request), "GET /healthz HTTP/1.1\r\n%s\r\n", story->host);
    assert_int_equal(ask_admin(request), story->status);
    world_close(&own);
}

/* ---- the group
 * ------------------------------------------------------------------------------------- */

static struct single singles[] = {
    { "the header is stripped without the setting too", stripped_without_the_setting },
    { "the secret changes", secret_changes },
    { "the secret comes later", secret_comes_later },
    { "actions of the admin listener ask for it", secret_of_actions },
    { "users are not told apart at a port", ports_stay_open },
    { "a rebound name at the proxy", rebound_proxy },
};

static void run_single(void **state)
{
    const struct single *story = *state;

    story_in_folder(&place, state, story->run);
}

static void run_known(void **state)
{
    story_in_folder(&place, state, knows);
}

static void run_bad(void **state)
{
    story_in_folder(&place, state, bad_secret);
}

static void run_user(void **state)
{
    story_in_folder(&place, state, user_calls);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, knowns, run_known);
    STORIES_ADD(&stories, bads, run_bad);
    STORIES_ADD(&stories, users, run_user);
    STORIES_ADD(&stories, hosts, admin_host);
    STORIES_ADD(&stories, singles, run_single);
    return flow_run("callers", &stories, NULL, NULL);
}
