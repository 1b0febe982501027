#include "tests/flow/kit_world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/flow/kit_sim.h"
#include "tests/flow/kit_town.h"
#include "tests/flow/kit_wait.h"

const char world_policies[] = "api.partner.example\t/v1/*\n"
                              "any.partner.example\t*\n"
                              "{{account}}.vtexcommercestable.com.br\t*\n"
                              "app.io.vtex.com\t*\n";

/* ---- the sidecar
 * ----------------------------------------------------------------------------------- */

static uint16_t port_behind(const char *line, const char *key)
{
    const char *found = strstr(line, key);
    const char *colon = found ? strchr(found, ':') : NULL;

    assert_non_null(colon);
    return (uint16_t)strtoul(colon + 1, NULL, 10);
}

struct process *sidecar_start(const struct process_plan *plan, uint16_t *port, uint16_t *admin)
{
    struct process *sidecar = process_start(plan);
    char *line = process_await(sidecar, "ready ");

    *port = port_behind(line, "listen=");
    *admin = port_behind(line, "admin=");
    free(line);
    return sidecar;
}

void sidecar_stop(struct process *sidecar)
{
    process_signal(sidecar, SIGTERM);
    int code = process_wait(sidecar);
    if (code != 0)
        fail_msg("the sidecar ended with %d:\n%s", code, process_log(sidecar));
}

/* ---- the world
 * ------------------------------------------------------------------------------------- */

struct options {
    const char *items[48];
    size_t n;
};

static void add(struct options *options, const char *flag, const char *value)
{
    options->items[options->n++] = flag;
    options->items[options->n++] = value;
}

/* A port where nobody listens: bound, so that nobody else gets it, but never listened on. */
static uint16_t deaf_port(void)
{
    struct origin *origin = origin_new_plain();
    uint16_t port = origin_port(origin);

    origin_free(origin);
    return port;
}

static void add_plan(struct options *options, const struct plan *plan, struct world *world)
{
    static char connect_to[64];

    for (size_t i = 0; plan->options[i]; i++) /* first, because the first --connect-to counts */
        options->items[options->n++] = plan->options[i];
    snprintf(connect_to, sizeof(connect_to), "::127.0.0.1:%u",
             plan->other_port ? deaf_port() : origin_port(world->origin));
    add(options, "--connect-to", connect_to);
    if (!plan->closed)
        add(options, "--allow-address", "127.0.0.0/8");
    if (!plan->token || *plan->token)
        folder_write(world->folder, "token", plan->token ? plan->token : TOKEN);
    add(options, "--token-file", folder_name(world->folder, "token"));
    add(options, "--manifest",
        folder_manifest(world->folder, plan->policies ? plan->policies : world_policies));
    if (plan->shadow) {
        char *shadow = manifest_text(plan->shadow);
        folder_write(world->folder, "shadow.json", shadow);
        free(shadow);
    }
    certificate_write_authority(folder_name(world->folder, "ca.pem"));
    add(options, "--ca-file", folder_name(world->folder, "ca.pem"));
}

/* Those that are open: a test that fails leaves its world behind, and its own memory of it is gone.
 */
enum { OPEN_MAX = 8 };
static struct world open_worlds[OPEN_MAX];

static struct world *open_world_of(const struct folder *folder)
{
    for (size_t i = 0; i < OPEN_MAX; i++) {
        if (open_worlds[i].folder == folder)
            return &open_worlds[i];
    }
    fail_msg("%s", folder ? "a world is closed twice" : "too many worlds are open");
    return NULL;
}

static void discard(struct world *world)
{
    process_free(world->sidecar);
    origin_free(world->origin);
    folder_free(world->folder);
    *world = (struct world){ 0 };
}

static void discard_all_but(const struct world *kept)
{
    for (size_t i = 0; i < OPEN_MAX; i++) {
        if (open_worlds[i].folder && !(kept && kept->folder == open_worlds[i].folder))
            discard(&open_worlds[i]);
    }
}

void world_open(struct world *world, const struct plan *plan)
{
    static const struct plan usual;
    struct options options = { { "run" }, 1 };

    plan = plan ? plan : &usual;
    *world = (struct world){ 0 };
    world->folder = folder_new();
    world->origin = plan->plain ? origin_new_plain() : origin_new(plan->certificate);
    add(&options, "--account", "storeacct");
    add(&options, "--listen", "127.0.0.1:0");
    add(&options, "--admin", "127.0.0.1:0");
    add_plan(&options, plan, world);
    struct process_plan process = { .folder = plan->bin_folder,
                                    .program = "janus-sidecar",
                                    .work_folder = folder_path(world->folder),
                                    .options = options.items,
                                    .hosts = plan->hosts,
                                    .max_files = plan->max_files,
                                    .environment = plan->environment };
    world->sidecar = sidecar_start(&process, &world->port, &world->admin_port);
    *open_world_of(NULL) = *world;
}

void world_close(struct world *world)
{
    clients_close();
    sidecar_stop(world->sidecar);
    world_forget(world);
}

void world_forget(struct world *world)
{
    clients_close();
    *open_world_of(world->folder) = (struct world){ 0 };
    discard(world);
}

void world_settle(struct world *world)
{
    clients_close();
    origin_settle(world->origin);
}

struct client *world_client(const struct world *world)
{
    return client_new(world->port);
}

/* The connection is not kept, so that the next exchange comes with a connection of its own. */
char *world_exchange(struct world *world, const char *request)
{
    struct client *client = world_client(world);

    client_say(client, request);
    struct origin_conn *conn = origin_accept(world->origin);
    const char *head = origin_head(conn);
    char *seen = text_copy(head, strlen(head));
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    origin_close(conn);
    expect_status(client_response(client), 200);
    client_close(client);
    return seen;
}

const struct response *world_refused(struct world *world, const char *request)
{
    struct client *client = world_client(world);

    client_say(client, request);
    const struct response *response = client_response(client);
    origin_untouched(world->origin);
    return response;
}

static void admin_says(const struct world *world, const char *request, unsigned status,
                       const char *says)
{
    struct client *client = client_new(world->admin_port);

    client_say(client, request);
    const struct response *response = client_response(client);
    expect_status(response, status);
    if (!strstr(response->body.at, says))
        fail_msg("%s was to say %s:\n%s", request, says, response->body.at);
    client_close(client);
}

void world_readyz(const struct world *world, unsigned status, const char *says)
{
    admin_says(world, "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n", status, says);
}

void world_metrics(const struct world *world, const char *says)
{
    admin_says(world, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 200, says);
}

/* ---- groups
 * ---------------------------------------------------------------------------------------- */

static struct world *group_world;
static const struct plan *group_plan;

static int open_group(void **state)
{
    (void)state;
    if (group_world)
        world_open(group_world, group_plan);
    return 0;
}

static int close_group(void **state)
{
    (void)state;
    if (group_world)
        world_close(group_world);
    return 0;
}

static int after_each(void **state)
{
    (void)state;
    clients_close();
    discard_all_but(group_world);
    towns_discard();
    sims_close();
    if (group_world)
        world_settle(group_world);
    return 0;
}

int flow_run(const char *group, struct stories *stories, struct world *shared,
             const struct plan *plan)
{
    group_world = shared;
    group_plan = plan;
    for (size_t i = 0; i < stories->n; i++)
        stories->tests[i].teardown_func = after_each;
    return _cmocka_run_group_tests(group, stories->tests, stories->n, open_group, close_group);
}
