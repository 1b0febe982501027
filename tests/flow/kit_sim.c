#include "tests/flow/kit_sim.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "tests/flow/kit_files.h"
#include "tests/flow/kit_process.h"
#include "tests/unit/stories.h"

struct sim {
    LIST_ENTRY(sim) link;
    struct folder *folder;
    struct process *process;
    SSL_CTX *context;
    uint16_t port;
    const char *ca_file, *token_file;
};

static LIST_HEAD(, sim) sims = LIST_HEAD_INITIALIZER(sims);

static uint16_t await_port(struct process *process)
{
    char *line = process_await(process, "ready listen=");
    char *colon = strrchr(line, ':');

    assert_non_null(colon);
    uint16_t port = (uint16_t)strtoul(colon + 1, NULL, 10);
    free(line);
    return port;
}

struct sim *sim_start(const char *const *options)
{
    const char *all[SIM_OPTIONS_MAX + 5] = { 0 };
    struct sim *sim = calloc(1, sizeof(*sim));
    size_t n = 0;

    assert_non_null(sim);
    sim->folder = folder_new();
    sim->ca_file = folder_name(sim->folder, "sim-ca.pem");
    sim->token_file = folder_name(sim->folder, "sim-token");
    LIST_INSERT_HEAD(&sims, sim, link);
    all[n++] = "--ca-out";
    all[n++] = sim->ca_file;
    all[n++] = "--token-out";
    all[n++] = sim->token_file;
    for (size_t i = 0; options && options[i] && i < SIM_OPTIONS_MAX; i++)
        all[n++] = options[i];
    sim->process = process_start(&(struct process_plan){ .program = "janus-sim", .options = all });
    sim->port = await_port(sim->process);
    sim->context = SSL_CTX_new(TLS_client_method());
    assert_int_equal(SSL_CTX_load_verify_file(sim->context, sim->ca_file), 1);
    return sim;
}

static void discard(struct sim *sim)
{
    LIST_REMOVE(sim, link);
    process_free(sim->process);
    SSL_CTX_free(sim->context);
    folder_free(sim->folder);
    free(sim);
}

void sim_stop(struct sim *sim)
{
    process_signal(sim->process, SIGTERM);
    int code = process_wait(sim->process);
    if (code != 0)
        fail_msg("the simulator ended with %d:\n%s", code, process_log(sim->process));
    discard(sim);
}

void sims_close(void)
{
    while (!LIST_EMPTY(&sims))
        discard(LIST_FIRST(&sims));
}

uint16_t sim_port(const struct sim *sim)
{
    return sim->port;
}

const char *sim_ca_file(const struct sim *sim)
{
    return sim->ca_file;
}

const char *sim_token_file(const struct sim *sim)
{
    return sim->token_file;
}

char *sim_token(const struct sim *sim)
{
    char text[8192];
    FILE *file = fopen(sim->token_file, "re");

    assert_non_null(file);
    size_t n = fread(text, 1, sizeof(text), file);
    fclose(file);
    return text_copy(text, n);
}

struct client *sim_client(const struct sim *sim, const char *host)
{
    struct client *client = client_new(sim->port);

    client_secure(client, sim->context, host);
    return client;
}

json_t *sim_ask(const struct sim *sim, const char *method, const char *target)
{
    struct client *client = sim_client(sim, SIM_STORE);
    struct bytes request = { 0 };

    bytes_print(&request, "%s %s HTTP/1.1\r\nHost: " SIM_STORE "\r\n\r\n", method, target);
    client_say(client, request.at);
    bytes_free(&request);
    const struct response *response = client_response(client);
    expect_status(response, 200);
    json_t *json = json_loadb(response->body.at, response->body.n, JSON_DECODE_ANY, NULL);
    if (!json)
        fail_msg("%s %s: not JSON:\n%s", method, target, response->body.at);
    client_close(client);
    return json;
}

void sim_tell(const struct sim *sim, const char *target)
{
    json_decref(sim_ask(sim, "POST", target));
}

long long sim_count(const struct sim *sim, const char *const *names)
{
    json_t *stats = sim_ask(sim, "GET", "/_sim/stats"), *at = stats;

    for (; *names; names++)
        at = json_object_get(at, *names);
    if (!json_is_integer(at))
        fail_msg("the simulator's statistics have no such number");
    long long count = json_integer_value(at);
    json_decref(stats);
    return count;
}

struct client *sim_post(const struct sim *sim, const char *target, const char *fields,
                        const char *body)
{
    struct client *client = sim_client(sim, SIM_STORE);
    struct bytes request = { 0 };

    bytes_print(&request,
                "POST %s HTTP/1.1\r\nHost: " SIM_STORE "\r\n%sContent-Length: %zu\r\n\r\n%s",
                target, fields, strlen(body), body);
    client_say(client, request.at);
    bytes_free(&request);
    return client;
}

struct client *sim_login(const struct sim *sim)
{
    return sim_post(sim, "/api/vtexid/apptoken/login", "",
                    "{\"appkey\":\"vtexappkey-acme-JANUS\",\"apptoken\":\"janus-sim-apptoken\"}");
}

char *sim_log_in(const struct sim *sim)
{
    const struct response *response = client_response(sim_login(sim));

    expect_status(response, 200);
    return sim_member(response, "token");
}

const struct response *sim_private(const struct sim *sim, const char *header, const char *token,
                                   const char *more)
{
    struct bytes fields = { 0 };

    bytes_print(&fields, "%s: %s\r\n%s", header, token, more);
    const struct response *response =
        client_response(sim_post(sim, "/_sim/private", fields.at, "hello"));
    bytes_free(&fields);
    return response;
}

unsigned sim_status(const struct sim *sim, const char *token)
{
    return sim_private(sim, "VtexIdclientAutCookie", token, "")->status;
}

char *sim_member(const struct response *response, const char *name)
{
    json_t *json = json_loadb(response->body.at, response->body.n, 0, NULL);
    const char *text = json_string_value(json_object_get(json, name));

    if (!text)
        fail_msg("no text \"%s\":\n%s", name, response->body.at);
    char *copy = text_copy(text, strlen(text));
    json_decref(json);
    return copy;
}

long long sim_rotate(const struct sim *sim, char **token)
{
    json_t *json = sim_ask(sim, "POST", "/_sim/rotate");
    const char *text = json_string_value(json_object_get(json, "token"));
    long long serial = json_integer_value(json_object_get(json, "serial"));

    assert_non_null(text);
    *token = text_copy(text, strlen(text));
    json_decref(json);
    return serial;
}
