/* From names to connections: what name servers say and leave unsaid, how long it holds, and what becomes of
 * connections when a name moves. The destination is any.partner.example; --connect-to makes it lead to
 * name.test, of which our own name server knows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_dns.h"
#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define HOST    "Host: any.partner.example\r\n"
#define GET     "GET /a HTTP/1.1\r\n" HOST "\r\n"
#define GET_TLS "GET /v1/a HTTP/1.1\r\nHost: api.partner.example\r\n\r\n"
#define OK      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define OK_LAST "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

#define FIRST  "127.0.0.1"
#define SECOND "127.0.0.2"
#define V4     "name.test A 60 " FIRST "\n"
#define NO_V6  "name.test AAAA !drop\n"

/* The world's own origin is not used: three others stand at the same port of three addresses. */
struct names {
    struct world world;
    struct dns_server *dns;
    struct origin *first, *second, *sixth; /* 127.0.0.1, 127.0.0.2, ::1 */
    struct client *client;
};

static struct names names;

static void origins_open(void)
{
    for (int i = 0; i < 20; i++) {
        names.first = origin_new_plain();
        names.second = origin_new_beside(origin_port(names.first));
        names.sixth = origin_new_plain6(origin_port(names.first));
        if (names.second && names.sixth)
            return;
        origin_free(names.first);
        origin_free(names.second);
        origin_free(names.sixth);
    }
    print_message("there is no [::1] here\n");
    names = (struct names){ 0 };
    skip();
}

static void names_open_with(const char *zone, const char *hosts, const char *const more[])
{
    char connect_to[80], server[32];
    struct plan plan = { .plain = true,
                         .hosts = hosts,
                         .options = { "--plaintext-host", "any.partner.example", "--connect-to",
                                      connect_to, "--resolver", server, "--allow-address",
                                      "::1/128" } };

    origins_open();
    names.dns = dns_server_new(zone);
    snprintf(server, sizeof(server), "127.0.0.1:%u", dns_server_port(names.dns));
    snprintf(connect_to, sizeof(connect_to), "any.partner.example::name.test:%u",
             origin_port(names.first));
    for (size_t i = 0; more && more[i]; i++)
        plan.options[8 + i] = more[i];
    world_open(&names.world, &plan);
    names.client = world_client(&names.world);
}

static void names_open(const char *zone)
{
    names_open_with(zone, NULL, NULL);
}

static void names_close(void)
{
    world_close(&names.world);
    dns_server_free(names.dns);
    origin_free(names.first);
    origin_free(names.second);
    origin_free(names.sixth);
    names = (struct names){ 0 };
}

/* A request and its answer, over a connection that must be new or (NULL: be made) at `origin`. */
static struct origin_conn *served(struct origin *origin, struct origin_conn *conn,
                                  const char *answer)
{
    client_say(names.client, GET);
    if (!conn)
        conn = origin_accept(origin);
    origin_head(conn);
    origin_say(conn, answer);
    expect_body(client_response(names.client), "ok");
    return conn;
}

/* A connection that is not kept. */
static void served_once(struct origin *origin)
{
    origin_await_end(served(origin, NULL, OK_LAST));
}

static const struct response *refused(void)
{
    client_say(names.client, GET);
    return client_response(names.client);
}

/* Nothing is awaited but time: a TTL's end is no event that anybody tells of. */
static void pass(long long ms)
{
    for (long long until = now_ms() + ms; now_ms() < until;)
        wait_any(NULL, 0, until);
}

static unsigned long number_behind(const char *line, const char *key)
{
    const char *at = strstr(line, key);

    if (!at)
        fail_msg("no %s in %s", key, line);
    return strtoul(at + strlen(key), NULL, 10);
}

/* ---- answers that lead somewhere
 * ------------------------------------------------------------------------- */

static struct leading {
    const char *name, *zone;
    unsigned by_tcp; /* questions */
} leadings[] = {
    { "an address", V4, 0 },
    { "case does not matter", "NAME.Test A 60 " FIRST "\n", 0 },
    { "an alias", "name.test CNAME 60 b.test\nb.test A 60 " FIRST "\n", 0 },
    { "a chain of aliases",
      "name.test CNAME 60 b.test\nb.test CNAME 60 c.test\nc.test CNAME 60 d.test\n"
      "d.test A 60 " FIRST "\n",
      0 },
    { "truncated answers", V4 "name.test * !cut\n", 2 },
    { "one of two is truncated", V4 "name.test A !cut\n", 1 },
    { "an answer for another name, then silence for IPv6", V4 "name.test AAAA !stranger\n", 0 },
    { "the question about IPv6 fails", V4 "name.test AAAA !servfail\n", 0 },
    { "the question about IPv6 is refused", V4 "name.test AAAA !refused\n", 0 },
    { "the question about IPv6 is answered with nonsense", V4 "name.test AAAA !garbage\n", 0 },
    { "the question about IPv6 gets no answer", V4 NO_V6, 0 },
    { "an address that is not allowed beside it", V4 "name.test A 60 10.0.0.1\n", 0 },
    { "an IPv6 address that is not allowed beside it", V4 "name.test AAAA 60 fd00::1\n", 0 },
};

static void leads_there(void **state)
{
    const struct leading *story = *state;

    names_open(story->zone);
    long long before = now_ms();
    served_once(names.first);
    assert_true(now_ms() - before < 3000);
    assert_int_equal(dns_server_asked_by_tcp(names.dns), story->by_tcp);
    names_close();
}

static struct bytes hundred(int from)
{
    struct bytes zone = { 0 };

    for (int i = 0; i < 100; i++)
        bytes_print(&zone, "name.test A 2 127.0.0.%d\n", 1 + (from + i) % 100);
    return zone;
}

/* One UDP message has room for some 70. All are remembered: one that comes last in the next answer is still
 * an address of the name. */
static void hundred_addresses(void **state)
{
    struct bytes zone = hundred(0), next = hundred(1);

    (void)state;
    names_open(zone.at);
    struct origin_conn *conn = served(names.first, NULL, OK);
    served(names.first, conn, OK);
    dns_server_say(names.dns, next.at);
    dns_server_await(names.dns, "name.test", "A", 4); /* each by UDP, then by TCP */
    pass(100);
    served(names.first, conn, OK);
    assert_int_equal(dns_server_asked_by_tcp(names.dns), 2);
    bytes_free(&zone);
    bytes_free(&next);
    names_close();
}

/* ---- answers that lead nowhere
 * --------------------------------------------------------------------------- */

static struct nowhere {
    const char *name, *zone;
    unsigned status;
    const char *code, *says, *error;
} nowheres[] = {
    { "no such name", "", 502, "OriginUnreachable", "there is no such name", "dns_error" },
    { "no address", "name.test TXT 60 x\n", 502, "OriginUnreachable", "the name has no address",
      "dns_error" },
    { "a server that fails", "name.test * !servfail\n", 502, "OriginUnreachable",
      "no name server gave an answer", "dns_error" },
    { "a server that refuses", "name.test * !refused\n", 502, "OriginUnreachable",
      "no name server gave an answer", "dns_error" },
    { "a server that says nothing", "name.test * !drop\n", 504, "ProxyTimeout", "in time",
      "dns_timeout" },
    { "answers with a wrong id", "name.test * !stranger\n" V4, 504, "ProxyTimeout", "in time",
      "dns_timeout" },
    { "answers to another question", "name.test * !question\n" V4, 504, "ProxyTimeout", "in time",
      "dns_timeout" },
    { "a compression loop", "name.test * !loop\n", 502, "OriginUnreachable", "answer is broken",
      "dns_error" },
    { "a record that is cut short", "name.test * !short\n", 502, "OriginUnreachable",
      "answer is broken", "dns_error" },
    { "bytes that are no message", "name.test * !garbage\n", 504, "ProxyTimeout", "in time",
      "dns_timeout" },
    { "an alias that leads nowhere", "name.test CNAME 60 b.test\n", 502, "OriginUnreachable",
      "no such name", "dns_error" },
    { "aliases in a circle", "name.test CNAME 60 b.test\nb.test CNAME 60 name.test\n", 502,
      "OriginUnreachable", "", "dns_error" },
    { "a private address", "name.test A 60 10.0.0.1\n", 403, "AddressDenied", "10.0.0.1",
      "destination_ip_prohibited" },
    { "the metadata service", "name.test A 60 169.254.169.254\n", 403, "AddressDenied",
      "169.254.169.254", "destination_ip_prohibited" },
    { "a private IPv6 address, and no other", "name.test AAAA 60 fd00::1\n", 403, "AddressDenied",
      "[fd00::1]", "destination_ip_prohibited" },
    { "IPv4 inside IPv6", "name.test AAAA 60 ::ffff:10.0.0.1\n", 403, "AddressDenied",
      "::ffff:10.0.0.1", "destination_ip_prohibited" },
    { "an address of another name", "name.test * !other\n", 502, "OriginUnreachable",
      "the name has no address", "dns_error" },
    { "an address that nobody is at", "name.test A 60 127.0.0.9\n", 502, "OriginUnreachable",
      "refused", "connection_refused" },
};

static void leads_nowhere(void **state)
{
    const struct nowhere *story = *state;
    /* who is never answered waits for all of it, the others for as long as a busy machine takes */
    const char *const more[] = { "--dns-timeout", story->status == 504 ? "400ms" : "4s", NULL };
    char status[80];

    names_open_with(story->zone, NULL, more);
    const struct response *response = refused();
    snprintf(status, sizeof(status), "janus-sidecar; error=%s", story->error);
    expect_answer(response, story->status, story->code, story->says);
    expect_header(response, "Proxy-Status", status);
    process_await_line(names.world.sidecar, " dns_us=");
    names_close();
}

/* ---- how long it holds
 * ----------------------------------------------------------------------------------- */

static struct holding {
    const char *name, *zone;
    unsigned status;   /* of what is asked at first */
    unsigned asked;    /* questions for A after two requests at once */
    unsigned holds_ms; /* and after that, another */
} holdings[] = {
    { "an address for its TTL", "name.test A 1 " FIRST "\n", 200, 1, 1100 },
    { "an alias's TTL is shorter", "name.test CNAME 1 b.test\nb.test A 60 " FIRST "\n", 200, 1,
      1100 },
    { "an address's TTL is shorter", "name.test CNAME 60 b.test\nb.test A 1 " FIRST "\n", 200, 1,
      1100 },
    { "no TTL at all", "name.test A 0 " FIRST "\n", 200, 2, 10 },
    { "a TTL with its highest bit set is none", "name.test A 4294967295 " FIRST "\n", 200, 2, 10 },
    { "no such name, for the SOA's minimum", ". SOA 1 .\n", 502, 1, 1100 },
    { "no such name, without an SOA", ". SOA - .\n", 502, 1, 1100 },
    { "no address, for the SOA's minimum", ". SOA 1 .\nname.test TXT 60 x\n", 502, 1, 1100 },
    { "a failure for a second", "name.test * !servfail\n", 502, 0, 1100 },
};

static void ask_once(unsigned status)
{
    if (status == 200)
        served_once(names.first);
    else
        expect_status(refused(), status);
}

static void holds(void **state)
{
    const struct holding *story = *state;

    names_open(story->zone);
    ask_once(story->status);
    unsigned once = dns_server_asked(names.dns, "name.test", "A");
    ask_once(story->status);
    unsigned twice = dns_server_asked(names.dns, "name.test", "A");
    if (story->asked)
        assert_int_equal(twice, story->asked);
    else
        assert_int_equal(twice, once); /* the library tries a server that fails more than once */
    dns_server_say(names.dns, "name.test A 60 " SECOND "\n");
    pass(story->holds_ms);
    served_once(names.second); /* what was known is not believed any longer */
    assert_true(dns_server_asked(names.dns, "name.test", "A") > twice);
    names_close();
}

/* Ten seconds at most, whatever the zone says. */
static void ceiling_of_no(void **state)
{
    (void)state;
    names_open(". SOA 86400 .\n");
    expect_status(refused(), 502);
    dns_server_say(names.dns, V4);
    pass(9000);
    expect_status(refused(), 502);
    pass(1200);
    served_once(names.first);
    names_close();
}

/* ---- names that move
 * ------------------------------------------------------------------------------------- */

/* While it is used it is asked for ahead of its end, and idle connections go with the old address. */
static void moved_while_idle(void **state)
{
    (void)state;
    names_open("name.test A 2 " FIRST "\n");
    struct origin_conn *conn = served(names.first, NULL, OK);
    served(names.first, conn, OK); /* used since the answer */
    dns_server_say(names.dns, "name.test A 60 " SECOND "\n");
    dns_server_await(names.dns, "name.test", "A", 2);
    assert_int_not_equal(origin_await_end(conn), ENDING_NONE);
    served(names.second, NULL, OK);
    assert_int_equal(dns_server_asked(names.dns, "name.test", "A"), 2);
    names_close();
}

static void moved_while_busy(void **state)
{
    (void)state;
    names_open("name.test A 2 " FIRST "\n");
    struct origin_conn *conn = served(names.first, NULL, OK);
    client_say(names.client, GET);
    origin_head(conn);
    origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha");
    dns_server_say(names.dns, "name.test A 60 " SECOND "\n");
    dns_server_await(names.dns, "name.test", "A", 2);
    pass(100);
    origin_say(conn, "lf");
    expect_body(client_response(names.client), "half");
    assert_int_not_equal(origin_await_end(conn), ENDING_NONE);
    served(names.second, NULL, OK);
    names_close();
}

/* What stays is one of several. */
static void moved_in_part(void **state)
{
    (void)state;
    names_open("name.test A 2 " FIRST "\nname.test A 2 " SECOND "\n");
    struct origin_conn *conn = served(names.first, NULL, OK);
    served(names.first, conn, OK);
    dns_server_say(names.dns, "name.test A 60 127.0.0.3\nname.test A 60 " FIRST "\n");
    dns_server_await(names.dns, "name.test", "A", 2);
    pass(100);
    served(names.first, conn, OK);
    names_close();
}

/* A name that is gone takes its connections with it; one whose server fails does not. */
static struct going {
    const char *name, *zone;
    bool stays;
} goings[] = {
    { "the name is gone", "", false },
    { "its addresses are gone", "name.test TXT 60 x\n", false },
    { "its server fails", "name.test * !servfail\n", true },
    { "its server is silent", "name.test * !drop\n", true },
    { "its server talks nonsense", "name.test * !short\n", true },
};

static void goes(void **state)
{
    const struct going *story = *state;

    names_open("name.test A 1 " FIRST "\n");
    struct origin_conn *conn = served(names.first, NULL, OK);
    served(names.first, conn, OK);
    dns_server_say(names.dns, story->zone);
    dns_server_await(names.dns, "name.test", "A", 2);
    if (story->stays) {
        pass(300);
        served(names.first, conn, OK);
    } else {
        assert_int_not_equal(origin_await_end(conn), ENDING_NONE);
        expect_status(refused(), 502);
    }
    names_close();
}

/* DNS rebinding: what was public a moment ago is judged again. */
static void rebound(void **state)
{
    (void)state;
    names_open("name.test A 1 " FIRST "\n");
    struct origin_conn *conn = served(names.first, NULL, OK);
    served(names.first, conn, OK);
    dns_server_say(names.dns, "name.test A 60 10.0.0.1\n");
    assert_int_not_equal(origin_await_end(conn), ENDING_NONE);
    expect_answer(refused(), 403, "AddressDenied", "10.0.0.1");
    names_close();
}

/* After a TTL in which nobody used it the name is let go; the next request makes us ask, beside it. */
static void moved_while_asleep(void **state)
{
    (void)state;
    names_open("name.test A 1 " FIRST "\n");
    struct origin_conn *conn = served(names.first, NULL, OK);
    pass(2500);
    assert_int_equal(dns_server_asked(names.dns, "name.test", "A"), 1); /* nobody asked meanwhile */
    dns_server_say(names.dns, "name.test A 60 " SECOND "\n");
    served(names.first, conn, OK); /* it does not wait */
    assert_int_not_equal(origin_await_end(conn), ENDING_NONE);
    served(names.second, NULL, OK);
    assert_int_equal(dns_server_asked(names.dns, "name.test", "A"), 2);
    names_close();
}

/* ---- how much is asked
 * ----------------------------------------------------------------------------------- */

static void single_flight(void **state)
{
    enum { MANY = 30 };
    struct client *clients[MANY];

    (void)state;
    names_open(V4 "name.test * !late 300\n");
    for (int i = 0; i < MANY; i++) {
        clients[i] = world_client(&names.world);
        client_say(clients[i], GET);
    }
    for (int i = 0; i < MANY; i++) {
        struct origin_conn *conn = origin_accept(names.first);
        origin_head(conn);
        origin_say(conn, OK);
    }
    for (int i = 0; i < MANY; i++)
        expect_body(client_response(clients[i]), "ok");
    assert_int_equal(dns_server_asked(names.dns, "name.test", "A"), 1);
    assert_int_equal(dns_server_asked(names.dns, "name.test", "AAAA"), 1);
    names_close();
}

/* Not one question more than two, whatever search domains the machine has: of the name as it stands. */
static void no_search(void **state)
{
    (void)state;
    names_open("");
    expect_status(refused(), 502);
    assert_int_equal(dns_server_asked(names.dns, "name.test", "*"), 2);
    names_close();
}

/* Used, then idle: one question ahead, and no more of it; no work at all after that. */
static void asked_ahead_once(void **state)
{
    (void)state;
    names_open("name.test A 5 " FIRST "\n");
    long long before = now_ms();
    struct origin_conn *conn = served(names.first, NULL, OK);
    served(names.first, conn, OK);
    dns_server_await(names.dns, "name.test", "A", 2);
    assert_in_range(now_ms() - before, 4000, 4990); /* ahead of its end */
    long used = process_cpu_ms(names.world.sidecar);
    pass(6000);
    assert_int_equal(dns_server_asked(names.dns, "name.test", "A"), 2);
    assert_true(process_cpu_ms(names.world.sidecar) - used < 100);
    served(names.first, conn, OK);
    names_close();
}

/* A client that leaves does not take the question with it, nor the sidecar. */
static void asker_leaves(void **state)
{
    (void)state;
    names_open(V4 "name.test * !late 200\n");
    client_say(names.client, GET);
    dns_server_await(names.dns, "name.test", "*", 2);
    client_close(names.client);
    names.client = world_client(&names.world);
    served_once(names.first);
    assert_int_equal(dns_server_asked(names.dns, "name.test", "*"), 2);
    names_close();
}

static void ends_while_asking(void **state)
{
    (void)state;
    names_open("name.test * !drop\n");
    client_say(names.client, GET);
    dns_server_await(names.dns, "name.test", "*", 2);
    client_close(names.client);
    names.client = NULL;
    names_close(); /* sanitizers look at what is left */
}

/* The first server is dead; names are found all the same, and what is dead is not asked first each time. */
static void second_server(void **state)
{
    struct dns_server *other = dns_server_new(V4);
    char address[32];
    const char *const more[] = { "--resolver", address, "--connect-timeout", "7s", NULL };

    (void)state;
    snprintf(address, sizeof(address), "127.0.0.1:%u", dns_server_port(other));
    names_open_with("name.test * !drop\n", NULL, more);
    served_once(names.first);
    assert_true(dns_server_asked(other, "name.test", "A") > 0);
    names_close();
    dns_server_free(other);
}

/* ---- the hosts file
 * -------------------------------------------------------------------------------------- */

static void hosts_file_first(void **state)
{
    struct folder *folder = folder_new();
    const char *hosts = folder_write(folder, "hosts", SECOND " other.test name.test\n");

    (void)state;
    if (!process_may_have_hosts(hosts)) {
        print_message("no hosts file can be given to a child here\n");
        folder_free(folder);
        skip();
    }
    names_open_with(V4, hosts, NULL);
    served_once(names.second);
    served_once(names.second);
    assert_int_equal(dns_server_asked(names.dns, "name.test", "*"), 0);
    names_close();
    folder_free(folder);
}

/* ---- two families
 * ---------------------------------------------------------------------------------------- */

#define BOTH "name.test A 60 " FIRST "\nname.test AAAA 60 ::1\n"

static void v6_first(void **state)
{
    (void)state;
    names_open(BOTH);
    served_once(names.sixth);
    served_once(names.sixth);
    origin_untouched(names.first);
    names_close();
}

static void v6_only(void **state)
{
    (void)state;
    names_open("name.test AAAA 60 ::1\nname.test A !drop\n");
    long long before = now_ms();
    served_once(names.sixth);
    assert_true(now_ms() - before < 1000); /* nobody waited for IPv4 */
    names_close();
}

/* IPv6 leads into a black hole: the first connection waits for it a quarter of a second, others do not. */
static void v6_black_hole(void **state)
{
    (void)state;
    names_open(BOTH);
    origin_deafen(names.sixth, true);
    long long before = now_ms();
    served_once(names.first);
    assert_in_range(now_ms() - before, 230, 2000);
    long long best = PATIENCE_MS; /* of several: the machine may be busy */
    for (int i = 0; i < 5; i++) {
        before = now_ms();
        served_once(names.first);
        best = now_ms() - before < best ? now_ms() - before : best;
    }
    assert_true(best < 200);
    names_close();
}

static void v6_refused(void **state)
{
    (void)state;
    names_open("name.test A 60 " FIRST "\nname.test AAAA 60 ::1\n");
    origin_free(names.sixth);
    names.sixth = NULL;
    served_once(names.first);
    char *line = process_await(names.world.sidecar, " tcp_us=");
    assert_true(number_behind(line, " tcp_us=") <
                200000); /* nobody waited for a head start to end */
    free(line);
    names_close();
}

/* It comes 20 ms behind IPv4's answer: it is waited for, and used. */
static void v6_a_little_late(void **state)
{
    (void)state;
    names_open(BOTH "name.test AAAA !late 20\n");
    served_once(names.sixth);
    origin_untouched(names.first);
    names_close();
}

/* It comes when IPv4 is long on its way. */
static void v6_too_late(void **state)
{
    (void)state;
    names_open(BOTH "name.test AAAA !late 400\n");
    long long before = now_ms();
    served_once(names.first);
    assert_in_range(now_ms() - before, 40, 390);
    names_close();
}

/* IPv4 is a black hole, and IPv6 is only known when that is being tried: it joins the race. */
static void v6_joins(void **state)
{
    (void)state;
    names_open(BOTH "name.test AAAA !late 400\n");
    origin_deafen(names.first, true);
    long long before = now_ms();
    served_once(names.sixth);
    assert_in_range(now_ms() - before, 390, 3000);
    names_close();
}

/* Nobody answers anywhere, until the second is there again: it was not given up. */
static void silent_is_not_given_up(void **state)
{
    (void)state;
    names_open(BOTH);
    origin_deafen(names.sixth, true);
    origin_deafen(names.first, true);
    client_say(names.client, GET);
    pass(600); /* both were tried, and nothing else is left */
    origin_deafen(names.sixth, false);
    struct origin_conn *conn =
        origin_accept(names.sixth); /* the kernel knocks again after a second */
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(names.client), "ok");
    names_close();
}

/* Losers that are silent open their circuits, and are not tried any more. */
static void losers_open_circuits(void **state)
{
    static const char *const more[] = { "--circuit-failures", "1", NULL };

    (void)state;
    names_open_with(BOTH, NULL, more);
    origin_deafen(names.sixth, true);
    served_once(names.first);
    process_await_line(names.world.sidecar, "event=circuit_open");
    world_metrics(&names.world, "janus_sidecar_circuits_open 1\n");
    names_close();
}

/* ---- times
 * ----------------------------------------------------------------------------------------------- */

static struct timing {
    const char *name, *flag, *zone;
    bool deaf, tls;
    const char *says, *error, *outcome;
} timings[] = {
    { "--dns-timeout", "--dns-timeout", "name.test * !drop\n", false, false,
      "resolving the name took too long", "dns_timeout", "outcome=dns_timeout" },
    { "--tcp-timeout", "--tcp-timeout", V4, true, false, "connecting took too long",
      "connection_timeout", "outcome=connection_timeout" },
    { "--tls-timeout", "--tls-timeout", V4, false, true, "the TLS handshake took too long",
      "connection_timeout", "outcome=tls_timeout" },
    { "--connect-timeout, in DNS", "--connect-timeout", "name.test * !drop\n", false, false,
      "resolving the name took too long", "dns_timeout", "outcome=dns_timeout" },
    { "--connect-timeout, in TLS", "--connect-timeout", V4, false, true,
      "the TLS handshake took too long", "connection_timeout", "outcome=tls_timeout" },
};

static void time_is_up(void **state)
{
    const struct timing *story = *state;
    const char *const more[] = { story->flag, "300ms", NULL };
    char status[80];

    names_open_with(story->zone, NULL, more);
    if (story->deaf)
        origin_deafen(names.first, true);
    long long before = now_ms();
    client_say(names.client, story->tls ? GET_TLS : GET); /* nobody answers the handshake */
    const struct response *response = client_response(names.client);
    snprintf(status, sizeof(status), "janus-sidecar; error=%s", story->error);
    expect_answer(response, 504, "ProxyTimeout", story->says);
    expect_header(response, "Proxy-Status", status);
    assert_in_range(now_ms() - before, 280, 3000);
    process_await_line(names.world.sidecar, story->outcome);
    names_close();
}

/* 300 ms of DNS, 250 ms of an address that is silent. */
static void parts_are_told(void **state)
{
    (void)state;
    names_open(BOTH "name.test * !late 300\n");
    origin_deafen(names.sixth, true);
    served_once(names.first);
    char *line = process_await(names.world.sidecar, " dns_us=");
    unsigned long dns = number_behind(line, " dns_us="), tcp = number_behind(line, " tcp_us="),
                  all = number_behind(line, " connect_us=");
    assert_in_range(dns, 290000, 2000000);
    assert_in_range(tcp, 230000, 2000000);
    assert_in_range(all, dns + tcp, dns + tcp + 100);
    assert_null(strstr(line, " tls_us="));
    free(line);
    names_close();
}

static struct single singles[] = {
    { "a hundred addresses", hundred_addresses },
    { "the ceiling of no", ceiling_of_no },
    { "a name that moves, its connection idle", moved_while_idle },
    { "a name that moves, its connection busy", moved_while_busy },
    { "a name that moves, but for one address", moved_in_part },
    { "a name that moves while nobody looks", moved_while_asleep },
    { "rebinding", rebound },
    { "many ask at once", single_flight },
    { "no search domains", no_search },
    { "asked ahead, once", asked_ahead_once },
    { "who asked leaves", asker_leaves },
    { "the end while somebody asks", ends_while_asking },
    { "the second name server", second_server },
    { "the hosts file comes first", hosts_file_first },
    { "IPv6 first", v6_first },
    { "IPv6 only", v6_only },
    { "IPv6 is a black hole", v6_black_hole },
    { "IPv6 is refused", v6_refused },
    { "IPv6's answer comes a little later", v6_a_little_late },
    { "IPv6's answer comes too late", v6_too_late },
    { "IPv6's answer joins the race", v6_joins },
    { "what is silent is not given up", silent_is_not_given_up },
    { "silent losers open circuits", losers_open_circuits },
    { "each part's time is logged", parts_are_told },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, leadings, leads_there);
    STORIES_ADD(&stories, nowheres, leads_nowhere);
    STORIES_ADD(&stories, holdings, holds);
    STORIES_ADD(&stories, goings, goes);
    STORIES_ADD(&stories, timings, time_is_up);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("names", &stories, NULL, NULL);
}
