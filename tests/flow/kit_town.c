#include "tests/flow/kit_town.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

static const char policies[] = "{{account}}.vtexcommercestable.com.br\t*\n"
                               "any.partner.example\t*\n"
                               "app.io.vtex.com\t*\n";

enum { OPEN_MAX = 16, WORDS_MAX = 48 };
static struct town open_towns[OPEN_MAX];

static struct town *place_of(const struct folder *folder)
{
    for (size_t i = 0; i < OPEN_MAX; i++) {
        if (open_towns[i].folder == folder)
            return &open_towns[i];
    }
    fail_msg("%s", folder ? "a town is closed twice" : "too many towns are open");
    return NULL;
}

/* ---- beginning ---- */

static const struct town_plan usual;

void town_found(struct town *town, const struct town_plan *plan)
{
    plan = plan ? plan : &usual;
    *town = (struct town){ .folder = folder_new(), .sim = sim_start(plan->sim_options) };
    folder_write(town->folder, "appkey", TOWN_APPKEY "\n");
    folder_write(town->folder, "apptoken", TOWN_APPTOKEN "\n");
    folder_manifest(town->folder, policies);
    *place_of(NULL) = *town;
}

struct words {
    const char *items[WORDS_MAX + 1];
    size_t n;
    char connect_to[64];
};

static void add(struct words *words, const char *flag, const char *value)
{
    assert_true(words->n + 2 <= WORDS_MAX);
    words->items[words->n++] = flag;
    words->items[words->n++] = value;
}

/* What is asked for stands in front: of the options that are lists the first item counts. */
static void add_options(struct words *words, struct town *town, const struct town_plan *plan)
{
    for (size_t i = 0; plan->options[i]; i++)
        words->items[words->n++] = plan->options[i];
    snprintf(words->connect_to, sizeof(words->connect_to), "::127.0.0.1:%u", sim_port(town->sim));
    add(words, "--account", "acme");
    add(words, "--connect-to", words->connect_to);
    add(words, "--allow-address", "127.0.0.0/8");
    add(words, "--ca-file", sim_ca_file(town->sim));
    add(words, "--manifest", folder_name(town->folder, "manifest.json"));
    if (!plan->no_login) {
        add(words, "--appkey-file", folder_name(town->folder, "appkey"));
        add(words, "--apptoken-file", folder_name(town->folder, "apptoken"));
    }
}

static struct process_plan process_of(const struct town *town, const struct town_plan *plan,
                                      const struct words *words)
{
    return (struct process_plan){ .folder = plan->bin_folder,
                                  .program = "janus-sidecar",
                                  .work_folder = folder_path(town->folder),
                                  .options = words->items,
                                  .environment = plan->environment,
                                  .nobody = plan->nobody,
                                  .log = plan->log,
                                  .dumps = plan->dumps };
}

/* What is in the town's folder now, and the way to the simulator's certificate. */
static void give_to_nobody(const struct town *town)
{
    const char *ca_file = sim_ca_file(town->sim);
    char *sims = text_copy(ca_file, (size_t)(strrchr(ca_file, '/') - ca_file));
    DIR *dir = opendir(folder_path(town->folder));

    assert_non_null(dir);
    assert_int_equal(chmod(sims, 0755), 0);
    assert_int_equal(chmod(ca_file, 0644), 0);
    assert_int_equal(chown(folder_path(town->folder), NOBODY, NOBODY), 0);
    for (const struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] != '.')
            assert_int_equal(fchownat(dirfd(dir), entry->d_name, NOBODY, NOBODY, 0), 0);
    }
    closedir(dir);
    free(sims);
}

void town_start(struct town *town, const struct town_plan *plan)
{
    struct words words = { .items = { "run" }, .n = 1 };

    plan = plan ? plan : &usual;
    if (plan->nobody)
        give_to_nobody(town);
    add_options(&words, town, plan);
    add(&words, "--listen", "127.0.0.1:0");
    add(&words, "--admin", "127.0.0.1:0");
    struct process_plan process = process_of(town, plan, &words);
    town->sidecar = process_start(&process);
    *place_of(town->folder) = *town;
    char *line = process_await(town->sidecar, "ready listen=");
    const char *listen = strstr(line, "listen="), *admin = strstr(line, "admin=");
    assert_non_null(admin);
    town->port = (uint16_t)strtoul(strchr(listen, ':') + 1, NULL, 10);
    town->admin_port = (uint16_t)strtoul(strchr(admin, ':') + 1, NULL, 10);
    free(line);
}

void town_open(struct town *town, const struct town_plan *plan)
{
    town_found(town, plan);
    town_start(town, plan);
}

struct process *town_run(struct town *town, const struct town_plan *plan, const char *command,
                         const char *const *more)
{
    struct words words = { .items = { command }, .n = 1 };

    plan = plan ? plan : &usual;
    for (; more && *more; more++)
        words.items[words.n++] = *more;
    add_options(&words, town, plan);
    struct process_plan process = process_of(town, plan, &words);
    return process_start(&process);
}

/* ---- end ---- */

static void discard(struct town *place)
{
    process_free(place->sidecar);
    folder_free(place->folder);
    *place = (struct town){ 0 };
}

void town_forget(struct town *town)
{
    struct town *place = place_of(town->folder);

    clients_close();
    sim_stop(town->sim);
    discard(place);
    *town = (struct town){ 0 };
}

void town_close(struct town *town)
{
    clients_close();
    process_signal(town->sidecar, SIGTERM);
    int code = process_wait(town->sidecar);
    if (code != 0)
        fail_msg("the sidecar ended with %d:\n%s", code, process_log(town->sidecar));
    town_forget(town);
}

void towns_discard(void)
{
    for (size_t i = 0; i < OPEN_MAX; i++) {
        if (open_towns[i].folder)
            discard(&open_towns[i]);
    }
}

/* ---- questions ---- */

const struct response *town_ask(const struct town *town, const char *head)
{
    struct client *client = client_new(town->port);

    client_say(client, head);
    return client_response(client);
}

const struct response *town_private(const struct town *town, const char *key)
{
    struct bytes head = { 0 };

    bytes_print(&head,
                "POST /_sim/private/%s HTTP/1.1\r\nHost: " SIM_STORE
                "\r\nContent-Length: 5\r\n\r\nhello",
                key);
    const struct response *response = town_ask(town, head.at);
    bytes_free(&head);
    return response;
}

unsigned town_status(const struct town *town)
{
    unsigned status = town_private(town, "any")->status;

    clients_close();
    return status;
}

json_t *town_admin(const struct town *town, const char *path, unsigned *status)
{
    struct client *client = client_new(town->admin_port);
    struct bytes head = { 0 };

    bytes_print(&head, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    client_say(client, head.at);
    bytes_free(&head);
    const struct response *response = client_response(client);
    json_t *json = json_loadb(response->body.at, response->body.n, 0, NULL);
    if (status)
        *status = response->status;
    client_close(client);
    return json;
}

void town_await_generation(const struct town *town, unsigned generation)
{
    char line[64];

    snprintf(line, sizeof(line), "event=token generation=%u ", generation);
    process_await_line(town->sidecar, line);
}

long long town_logins(const struct town *town)
{
    return SIM_COUNT(town->sim, "logins", "attempts");
}

long long town_rejected(const struct town *town)
{
    return SIM_COUNT(town->sim, "private", "rejected");
}
