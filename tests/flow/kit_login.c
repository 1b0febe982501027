#include "tests/flow/kit_login.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/stories.h"

static const char request_head[] = "POST /api/vtexid/apptoken/login HTTP/1.1\r\n"
                                   "Host: " HOST "\r\n"
                                   "User-Agent: janus-sidecar\r\n"
                                   "Accept: application/json\r\n"
                                   "Accept-Encoding: identity\r\n"
                                   "Content-Type: application/json\r\n"
                                   "Content-Length: %zu\r\n\r\n";

/* ---- the scene ---- */

struct login_scene scene;

static uint16_t deaf_port(void)
{
    struct origin *origin = origin_new_plain();
    uint16_t port = origin_port(origin);

    origin_free(origin);
    return port;
}

void login_start_driver(const struct login_plan *plan, uint16_t port)
{
    static char connect_to[64];
    const char *options[48];
    size_t n = 0;

    for (; plan->words[n]; n++)
        options[n] = plan->words[n];
    snprintf(connect_to, sizeof(connect_to), "::127.0.0.1:%u", port);
    const char *usual[] = { "--account", "storeacct", "--connect-to",
                            connect_to,  "--ca-file", folder_name(scene.folder, "ca.pem") };
    const char *files[] = { "--appkey-file", folder_name(scene.folder, "appkey"), "--apptoken-file",
                            folder_name(scene.folder, "apptoken") };
    for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
        options[n++] = usual[i];
    for (size_t i = 0; i < 4 && !plan->no_files; i++)
        options[n++] = files[i];
    if (!plan->closed) {
        options[n++] = "--allow-address";
        options[n++] = "127.0.0.0/8";
    }
    options[n] = NULL;
    struct process_plan process = { .program = "login-driver", .options = options };
    scene.driver = process_start(&process);
    process_await_line(scene.driver, "ready login at " HOST);
}

void login_begin(const struct login_plan *plan)
{
    static const struct login_plan usual;

    plan = plan ? plan : &usual;
    scene.folder = folder_new();
    scene.origin = origin_new(plan->certificate);
    certificate_write_authority(folder_name(scene.folder, "ca.pem"));
    if (!plan->no_files) {
        folder_write(scene.folder, "appkey", APPKEY "\n");
        folder_write(scene.folder, "apptoken", " " APPTOKEN "\r\n");
    }
    login_start_driver(plan, plan->other_port ? deaf_port() : origin_port(scene.origin));
}

void login_order(int number)
{
    process_signal(scene.driver, number);
    process_await_line(scene.driver, "is carried out");
}

void login_expect_words(const char *words, const char *want)
{
    size_t n = strlen(want);

    if (n >= 3 && strcmp(want + n - 3, "...") == 0 && strlen(words) >= n - 3)
        assert_memory_equal(words, want, n - 3);
    else
        assert_string_equal(words, want);
}

void login_answers(const char *want)
{
    static const char start[] = "answer: ";
    char *line = process_await(scene.driver, start);

    login_expect_words(line + strlen(start), want);
    free(line);
}

void login_holds_no_secret(void)
{
    static const char *const secrets[] = { APPKEY, APPTOKEN, LEAK };

    for (size_t i = 0; i < 3; i++) {
        if (strstr(process_log(scene.driver), secrets[i]))
            fail_msg("%s is in the log:\n%s", secrets[i], process_log(scene.driver));
    }
}

void login_end(void)
{
    login_order(SIGTERM);
    int code = process_wait(scene.driver);
    if (code != 0)
        fail_msg("the driver ended with %d:\n%s", code, process_log(scene.driver));
    login_holds_no_secret();
}

int login_discard(void **state)
{
    (void)state;
    process_free(scene.driver);
    origin_free(scene.origin);
    folder_free(scene.folder);
    scene = (struct login_scene){ 0 };
    return 0;
}

/* ---- the dialogue ---- */

void login_expect_pair(struct origin_conn *conn, const char *body)
{
    char want[1024];

    snprintf(want, sizeof(want), request_head, strlen(body));
    assert_string_equal(origin_head(conn), want);
    assert_string_equal(origin_bytes(conn, strlen(body)), body);
    assert_int_equal(origin_unread(conn), 0);
}

void login_expect(struct origin_conn *conn)
{
    login_expect_pair(conn, "{\"appkey\":\"" APPKEY "\",\"apptoken\":\"" APPTOKEN "\"}");
}

struct origin_conn *login_asked(void)
{
    process_signal(scene.driver, SIGHUP);
    struct origin_conn *conn = origin_accept(scene.origin);
    login_expect(conn);
    return conn;
}

void login_say_with_length(struct origin_conn *conn, const char *head, const char *body)
{
    char length[64];

    snprintf(length, sizeof(length), "Content-Length: %zu\r\n\r\n", strlen(body));
    origin_say(conn, head);
    origin_say(conn, length);
    origin_say(conn, body);
}

void login_say_good(struct origin_conn *conn)
{
    login_say_with_length(conn, "HTTP/1.1 200 OK\r\n", GOOD_BODY);
}
