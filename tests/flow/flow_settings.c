/* The settings are read again: on SIGHUP and POST /reload. What can change while the sidecar runs does, what needs a
 * restart is named, a bad version changes nothing, and no request is lost. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_run.h"
#include "tests/flow/kit_stage.h"
#include "tests/flow/kit_wait.h"

#define API  "Host: api.partner.example\r\n"
#define POST "POST /v1/a HTTP/1.1\r\n" API "Content-Length: 2048\r\n\r\n"

static struct folder *place;
static struct world own;

static const char *settings_file(void)
{
    return folder_name(place, "settings.json");
}

static void write_settings(const char *content)
{
    folder_replace(place, "settings.json", content);
}

static void begin_before(bool plain_origin, const char *content)
{
    static struct plan plan = { .options = { "--config", NULL } };

    plan.plain = plain_origin;
    place = folder_new();
    write_settings(content);
    plan.options[1] = settings_file();
    world_open(&own, &plan);
}

static void begin(const char *content)
{
    begin_before(false, content);
}

static void end(void)
{
    world_close(&own);
    folder_free(place);
}

static void reload_to(const char *content, const char *line)
{
    write_settings(content);
    process_signal(own.sidecar, SIGHUP);
    process_await_line(own.sidecar, line);
}

static unsigned status_of(const char *request)
{
    struct client *client = world_client(&own);

    client_say(client, request);
    unsigned status = client_response(client)->status;
    client_close(client);
    return status;
}

/* ---- what changes
 * ---------------------------------------------------------------------------------- */

static void sees_limit(void)
{
    assert_int_equal(status_of(POST), 413);
}

static void sees_report(void)
{
    world_readyz(&own, 200, "\"mode\":\"report\"");
    free(world_exchange(&own, "GET /v9/a HTTP/1.1\r\n" API "\r\n"));
}

static void sees_via(void)
{
    char *seen = world_exchange(&own, "GET /v1/a HTTP/1.1\r\n" API "\r\n");

    expect_in(seen, "Via: 1.1 janus-sidecar");
    free(seen);
}

static void sees_forwarded(void)
{
    char *seen = world_exchange(&own, "GET /v1/a HTTP/1.1\r\n" API "\r\n");

    expect_in(seen, "Forwarded: for=");
    expect_in(seen, "traceparent: 00-");
    free(seen);
}

static void sees_time(void)
{
    struct client *client = world_client(&own);

    client_say(client, "GET /v1/a HTTP/1.1\r\n" API "\r\n");
    origin_head(origin_accept(own.origin));
    expect_answer(client_response(client), 504, "ProxyTimeout", "");
    client_close(client);
}

static void sees_placeholder(void)
{
    char *seen =
        world_exchange(&own, "GET /a HTTP/1.1\r\nHost: storeacct.vtexcommercestable.com.br\r\n"
                             "Authorization: another-placeholder\r\n\r\n");

    expect_in(seen, TOKEN);
    assert_null(strstr(seen, "another-placeholder"));
    free(seen);
}

static void sees_default_host(void)
{
    char request[128];

    snprintf(request, sizeof(request), "GET /v1/a HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n",
             own.port);
    char *seen = world_exchange(&own, request);
    expect_in(seen, "Host: api.partner.example\r\n");
    free(seen);
}

static void sees_level(void)
{
    free(world_exchange(&own, "GET /v1/a HTTP/1.1\r\n" API "\r\n"));
    assert_null(strstr(process_log(own.sidecar), "outcome=relayed"));
}

static void sees_admin_host(void)
{
    struct client *client = client_new(own.admin_port);

    client_say(client, "GET /healthz HTTP/1.1\r\nHost: monitor.example\r\n\r\n");
    expect_status(client_response(client), 200);
    client_close(client);
}

static void sees_total(void)
{
    struct client *client = world_client(&own);

    client_say(client, "GET /v1/a HTTP/1.1\r\n" API "\r\n");
    struct origin_conn *conn = origin_accept(own.origin);
    origin_head(conn);
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    client_head(client);
    client_bytes(client, 4);
    assert_int_equal(client_end(client), ENDING_CLEAN);
    client_close(client);
}

static struct change {
    const char *name, *content;
    void (*see)(void);
    const char *says; /* in the log, besides settings_reloaded */
} changes[] = {
    { "max-body", "{ \"max-body\": \"1KiB\" }", sees_limit, NULL },
    { "mode", "{ \"mode\": \"report\" }", sees_report, NULL },
    { "via", "{ \"via\": \"on\" }", sees_via, NULL },
    { "forwarded and trace", "{ \"forwarded\": \"standard\", \"trace\": \"make\" }", sees_forwarded,
      NULL },
    { "a shorter time", "{ \"response-timeout\": \"100ms\" }", sees_time, NULL },
    { "a time for the whole, which had none", "{ \"total-timeout\": \"200ms\" }", sees_total,
      NULL },
    { "placeholder", "{ \"placeholder\": \"another-placeholder\" }", sees_placeholder, NULL },
    { "default-host", "{ \"default-host\": \"api.partner.example\" }", sees_default_host, NULL },
    { "log-level", "{ \"log-level\": \"error\", \"mode\": \"enforce\" }", sees_level, NULL },
    { "admin-host", "{ \"admin-host\": [\"monitor.example\"] }", sees_admin_host, NULL },
    { "one that changes and one that waits for a restart",
      "{ \"max-body\": \"1KiB\", \"token-timeout\": \"9s\" }", sees_limit,
      "token-timeout: has changed; it takes effect with a restart" },
    { "what an option says stays", "{ \"max-body\": \"1KiB\", \"account\": \"another\" }",
      sees_limit, NULL },
};

static void is_taken(void **state)
{
    const struct change *story = *state;

    begin("{}");
    /* the log may fall silent with it */
    write_settings(story->content);
    struct client *client = client_new(own.admin_port);
    client_say(client, "POST /reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    const struct response *response = client_response(client);
    expect_status(response, 200);
    client_close(client);
    if (story->says)
        process_await_line(own.sidecar, story->says);
    story->see();
    end();
}

/* ---- what changes nothing
 * -------------------------------------------------------------------------- */

static struct bad {
    const char *name, *content, *says;
} bads[] = {
    { "broken JSON", "{\n  \"max-body\": }\n", "settings.json:2:15: " },
    { "an unknown name", "{\n  \"max-body\": \"1MiB\",\n  \"max-bodi\": 9 }\n",
      "settings.json:3:3: " },
    { "a value that is none", "{ \"mode\": \"perhaps\" }", "settings.json:1:11: " },
    { "a good one and a bad one", "{ \"max-body\": \"1MiB\",\n \"inject\": \"x\" }",
      "settings.json:2:" },
    { "a CA file that is not there",
      "{ \"max-body\": \"1MiB\", \"client-cert\": \"a.example=/nowhere.pem\" }", "/nowhere.pem" },
    { "a restart's setting that is wrong", "{ \"max-body\": \"1MiB\", \"sandbox\": \"x\" }",
      "settings.json:1:" },
    { "another app", "{ \"max-body\": \"1MiB\", \"workspace\": \"dev\" }", "restart it" },
    { "an empty file", "", "settings.json:1:" },
};

static void changes_nothing(void **state)
{
    const struct bad *story = *state;

    begin("{ \"max-body\": \"1KiB\" }");
    write_settings(story->content);
    process_signal(own.sidecar, SIGHUP);
    process_await_line(own.sidecar, story->says);
    process_await_line(own.sidecar, "event=settings_reload_failed");
    sees_limit();
    struct client *client = client_new(own.admin_port);
    client_say(client, "POST /reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    const struct response *response = client_response(client);
    expect_status(response, 409);
    expect_in(response->body.at, "\"level\":\"error\"");
    client_close(client);
    reload_to("{ \"max-body\": \"1MiB\" }", "event=settings_reloaded message=max-body");
    free(world_exchange(&own, "GET /v1/a HTTP/1.1\r\n" API "\r\n"));
    end();
}

static void file_is_gone(void **state)
{
    (void)state;
    begin("{ \"max-body\": \"1KiB\" }");
    remove(settings_file());
    process_signal(own.sidecar, SIGHUP);
    process_await_line(own.sidecar, "event=settings_reload_failed");
    sees_limit();
    end();
}

static void nothing_new(void **state)
{
    (void)state;
    begin("{ \"max-body\": \"1KiB\" }");
    process_signal(own.sidecar, SIGHUP);
    process_await_line(own.sidecar, "event=reloaded");
    assert_null(strstr(process_log(own.sidecar), "event=settings_"));
    sees_limit();
    end();
}

/* --strict becomes true while the manifest has an error: none of it is taken. */
static void strict_now(void **state)
{
    (void)state;
    begin("{}");
    folder_manifest(own.folder, "https://a.example\t/*\napi.partner.example\t/v1/*\n");
    process_await_line(own.sidecar, "event=reloaded");
    write_settings("{ \"strict\": true, \"max-body\": \"1KiB\" }");
    process_signal(own.sidecar, SIGHUP);
    process_await_line(own.sidecar, "event=settings_reload_failed");
    free(world_exchange(&own, "GET /v1/a HTTP/1.1\r\n" API "\r\n"));
    end();
}

/* ---- files of TLS
 * ---------------------------------------------------------------------------------- */

/* A certificate and its key are two files, and one of them is replaced first. */
static void pair_is_replaced(void **state)
{
    static const struct recipe usual, rsa = { .rsa_bits = 2048 };
    static struct plan plan = { .options = { "--client-cert", NULL } };
    char rule[600];

    (void)state;
    place = folder_new();
    certificate_write_pair(&usual, folder_name(place, "cert.pem"), folder_name(place, "key.pem"));
    certificate_write_pair(&rsa, folder_name(place, "next.pem"), folder_name(place, "next.key"));
    snprintf(rule, sizeof(rule), "a.test=%s;%s", folder_name(place, "cert.pem"),
             folder_name(place, "key.pem"));
    plan.options[1] = rule;
    world_open(&own, &plan);
    assert_int_equal(rename(folder_name(place, "next.pem"), folder_name(place, "cert.pem")), 0);
    process_await_line(own.sidecar, "does not belong to the first certificate");
    process_await_line(own.sidecar, "event=tls_reload_failed");
    assert_int_equal(rename(folder_name(place, "next.key"), folder_name(place, "key.pem")), 0);
    process_await_line(own.sidecar, "event=tls_reloaded");
    end();
}

/* ---- under traffic
 * --------------------------------------------------------------------------------- */

enum { RELOADS = 200, CALLERS = 3 };

static struct stage stage;
static atomic_bool enough;
static atomic_uint n_right;
static char complaints[CALLERS][300];

static void *ask(void *arg)
{
    char *why = arg;
    struct request request = stage_get(STAGE_FOREIGN, 1, 3000);
    struct caller caller;
    struct reply reply;

    caller_init(&caller, stage.world.port);
    caller.patience_s = 20;
    while (!atomic_load(&enough) && !why[0]) {
        request.script.seed++;
        request.last = request.script.seed % 7 == 0;
        caller_ask(&caller, &request, &reply);
        if (reply.result == RESULT_RIGHT)
            atomic_fetch_add(&n_right, 1);
        else
            snprintf(why, sizeof(complaints[0]), "%s (%u) %s", result_name(reply.result),
                     reply.status, reply.why);
    }
    caller_fini(&caller);
    return NULL;
}

static void reload_often(void)
{
    static const struct version {
        const char *content, *line;
    } versions[] = {
        { "{ \"max-requests\": 5000, \"response-timeout\": \"30s\", \"placeholder\": "
          "\"abcdefghij\" }",
          "event=settings_reloaded" },
        { "{ \"max-requests\": 5000, \"response-timeout\": }", "event=settings_reload_failed" },
        { "{ \"max-requests\": 6000, \"idle-timeout\": \"40s\", \"plaintext-host\": "
          "[\"a.example\"] }",
          "event=settings_reloaded" },
        { "{ \"mode\": \"maybe\" }", "event=settings_reload_failed" },
    };

    for (int i = 0; i < RELOADS; i++) {
        const struct version *version = &versions[i % 4];
        write_settings(version->content);
        process_signal(stage.world.sidecar, SIGHUP);
        process_await_line(stage.world.sidecar, version->line);
    }
}

static void under_traffic(void **state)
{
    static struct plan plan = { .options = { "--config", NULL } };
    pthread_t threads[CALLERS];

    (void)state;
    place = folder_new();
    write_settings("{}");
    plan.options[1] = settings_file();
    stage_open(&stage, &plan, false);
    for (size_t i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, complaints[i]), 0);
    reload_often();
    atomic_store(&enough, true);
    for (size_t i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < CALLERS; i++) {
        if (complaints[i][0])
            fail_msg("behind %u answers: %s", atomic_load(&n_right), complaints[i]);
    }
    print_message("%d reloads, half of them bad, during %u requests: none lost\n", RELOADS,
                  atomic_load(&n_right));
    assert_in_range(atomic_load(&n_right), RELOADS, UINT32_MAX);
    stage_close(&stage);
    folder_free(place);
}

/* The origin knows no TLS, and says nothing. */
static void time_of_its_own(void **state)
{
    (void)state;
    begin_before(true, "{}");
    reload_to("{ \"tls-timeout\": \"100ms\" }", "event=settings_reloaded");
    struct client *client = world_client(&own);
    client_say(client, "GET /v1/a HTTP/1.1\r\n" API "\r\n");
    expect_answer(client_response(client), 504, "ProxyTimeout", "the TLS handshake took too long");
    client_close(client);
    end();
}

static struct single singles[] = {
    { "the file is gone", file_is_gone },
    { "nothing has changed", nothing_new },
    { "strict, and the manifest has an error", strict_now },
    { "a certificate and its key are replaced, one after the other", pair_is_replaced },
    { "a time for TLS, which had none", time_of_its_own },
    { "200 reloads under traffic", under_traffic },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, changes, is_taken);
    STORIES_ADD(&stories, bads, changes_nothing);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("settings", &stories, NULL, NULL);
}
