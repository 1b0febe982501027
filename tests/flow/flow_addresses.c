/* Where a connection goes: the addresses that are denied whatever the name, our own among them, and
 * the detours of --connect-to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define ANY "GET http://any.partner.example/ HTTP/1.1\r\nHost: any.partner.example\r\n\r\n"

static char *get_of(const char *url)
{
    const char *host = strstr(url, "://") + 3;
    struct bytes request = { 0 };

    bytes_print(&request, "GET %s HTTP/1.1\r\nHost: %.*s\r\n\r\n", url, (int)strcspn(host, "/?"),
                host);
    return request.at;
}

/* ---- where nobody may go
 * --------------------------------------------------------------------------- */

static const struct plan closed = { .policies = "any.partner.example\t*\n"
                                                "*\t*",
                                    .closed = true };

static struct address {
    const char *name, *url, *says;
} addresses[] = {
    { "a name that leads to loopback", "http://any.partner.example/a", "127.0.0.1" },
    { "loopback itself", "http://127.0.0.1:9/", "127.0.0.1 is a loopback address" },
    { "localhost", "http://localhost:9/", "localhost is a loopback address" },
    { "a name under localhost", "http://x.localhost/", "x.localhost is a loopback address" },
    { "a private address", "http://10.1.2.3/", "10.1.2.3 is a private address" },
    { "the metadata service", "http://169.254.169.254/latest", "is a cloud metadata address" },
    { "IPv6 loopback", "http://[::1]:9/", "::1 is a loopback address" },
    { "IPv4 inside IPv6", "http://[::ffff:10.1.2.3]/", "is a IPv4-in-IPv6 address" },
};

static void address_is_denied(void **state)
{
    const struct address *story = *state;
    struct world own;
    char *request = get_of(story->url);

    world_open(&own, &closed);
    const struct response *answer = world_refused(&own, request);
    expect_answer(answer, 403, "AddressDenied", story->says);
    expect_header(answer, "Proxy-Status", "janus-sidecar; error=destination_ip_prohibited");
    free(request);
    world_close(&own);
}

/* ---- ourselves
 * --------------------------------------------------------------------------------------- */

static struct ourselves {
    const char *name, *listen, *connect_to, *option;
} ourselves[] = {
    { "our own listener", "127.0.0.1", "127.0.0.1", NULL },
    { "a listener on every address, by loopback", "0.0.0.0", "127.0.0.1", "--unsafe-listen" },
    { "a listener on every address, by another loopback", "0.0.0.0", "127.0.0.2",
      "--unsafe-listen" },
};

/* A name that leads to our own listener would make us talk to ourselves without end. */
static void not_ourselves(void **state)
{
    const struct ourselves *story = *state;
    struct folder *folder = folder_new();
    uint16_t port, admin;
    struct origin *reserve = origin_new_plain();
    char listen[32], connect_to[48], own[32];

    /* the port must be known before the start: taken here, given back, and used at once */
    snprintf(listen, sizeof(listen), "%s:%u", story->listen, origin_port(reserve));
    snprintf(own, sizeof(own), "%s:%u", story->connect_to, origin_port(reserve));
    snprintf(connect_to, sizeof(connect_to), "::%s", own);
    origin_free(reserve);
    const char *options[] = { "run",
                              "--account",
                              "storeacct",
                              "--listen",
                              listen,
                              "--admin",
                              "127.0.0.1:0",
                              "--allow-address",
                              "127.0.0.0/8",
                              "--connect-to",
                              connect_to,
                              "--manifest",
                              folder_manifest(folder, "*\t*"),
                              story->option,
                              NULL };
    struct process_plan process = { .program = "janus-sidecar", .options = options };
    struct process *sidecar = sidecar_start(&process, &port, &admin);
    struct client *client = client_new(port);
    client_say(client, ANY);
    expect_answer(client_response(client), 403, "AddressDenied", own);
    client_close(client);
    sidecar_stop(sidecar);
    process_free(sidecar);
    folder_free(folder);
}

/* ---- detours
 * ----------------------------------------------------------------------------------------- */

static void answer_200(struct origin *origin)
{
    struct origin_conn *conn = origin_accept(origin);

    origin_head(conn);
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

/* A literal is an address whatever routes the machine has: nobody is asked for it. */
static void to_ipv6(void **state)
{
    struct origin *origin = origin_new_plain6(0);
    char connect_to[64];
    struct plan plan = { .options = { "--plaintext-host", "any.partner.example", "--allow-address",
                                      "::1/128", "--connect-to", connect_to } };
    struct world own;

    (void)state;
    if (!origin) {
        print_message("there is no [::1] here\n");
        skip();
    }
    snprintf(connect_to, sizeof(connect_to), "any.partner.example::[::1]:%u", origin_port(origin));
    world_open(&own, &plan);
    struct client *client = world_client(&own);
    client_say(client, ANY);
    answer_200(origin);
    expect_body(client_response(client), "ok");
    origin_free(origin);
    world_close(&own);
}

/* Both addresses of a name stand in /etc/hosts, the dead one first: the other is tried long before the
 * time for connecting is over. */
static void black_hole_first(void **state)
{
    struct folder *folder = folder_new();
    struct origin *live = origin_new_plain(), *dead = origin_new_beside(origin_port(live));
    const char *hosts = folder_write(folder, "hosts",
                                     "127.0.0.2 two.partner.example\n"
                                     "127.0.0.1 two.partner.example\n");
    char connect_to[64];
    struct plan plan = { .hosts = hosts,
                         .options = { "--plaintext-host", "any.partner.example",
                                      "--connect-timeout", "20s", "--connect-to", connect_to } };
    struct world own;

    (void)state;
    if (!dead || !process_may_have_hosts(hosts)) {
        print_message("no hosts file can be given to a child here\n");
        origin_free(dead);
        origin_free(live);
        folder_free(folder);
        skip();
    }
    origin_deafen(dead, true);
    snprintf(connect_to, sizeof(connect_to), "any.partner.example::two.partner.example:%u",
             origin_port(live));
    world_open(&own, &plan);
    struct client *client = world_client(&own);
    long long before = now_ms();
    client_say(client, ANY);
    answer_200(live);
    expect_body(client_response(client), "ok");
    assert_in_range(now_ms() - before, 250, 5000); /* it was tried, and not for long */
    origin_free(dead);
    origin_free(live);
    folder_free(folder);
    world_close(&own);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, addresses, address_is_denied);
    STORIES_ADD(&stories, ourselves, not_ourselves);
    stories_add(&stories, "--connect-to an IPv6 literal", to_ipv6, NULL);
    stories_add(&stories, "the first address of a name is dead", black_hole_first, NULL);
    return flow_run("addresses", &stories, NULL, NULL);
}
