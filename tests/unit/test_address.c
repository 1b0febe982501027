#include "tests/unit/stories.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include "config/address.h"

static struct listen {
    const char *name;
    struct text text;
    int family;
    unsigned port;
    bool loopback;
} accepted_listen[] = {
    { "IPv4 loopback", TEXT_INIT("127.0.0.1:8380"), AF_INET, 8380, true },
    { "all of 127/8 is loopback", TEXT_INIT("127.9.9.9:1"), AF_INET, 1, true },
    { "port 0 lets the system choose", TEXT_INIT("127.0.0.1:0"), AF_INET, 0, true },
    { "any address is not loopback", TEXT_INIT("0.0.0.0:65535"), AF_INET, 65535, false },
    { "next to loopback", TEXT_INIT("128.0.0.1:80"), AF_INET, 80, false },
    { "IPv6 loopback", TEXT_INIT("[::1]:8380"), AF_INET6, 8380, true },
    { "IPv6 any", TEXT_INIT("[::]:8380"), AF_INET6, 8380, false },
    { "mapped loopback is not taken for loopback", TEXT_INIT("[::ffff:127.0.0.1]:80"), AF_INET6, 80,
      false },
};

static unsigned port_of(const struct listen_address *address)
{
    /* the port stands at the same place in both */
    return ntohs(((const struct sockaddr_in *)(const void *)&address->socket)->sin_port);
}

static void test_listen(void **state)
{
    const struct listen *row = *state;
    struct listen_address address;
    const char *why = "";

    assert_true(listen_address_parse(row->text, &address, &why));
    assert_int_equal(address.socket.ss_family, row->family);
    assert_int_equal(port_of(&address), row->port);
    assert_int_equal(address.loopback, row->loopback);
    assert_int_equal(address.socket_len, row->family == AF_INET ? sizeof(struct sockaddr_in)
                                                                : sizeof(struct sockaddr_in6));
}

static const char long_path[] =
    "unix:/"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaa";

static struct local {
    const char *name;
    struct text text;
    enum listen_kind kind;
    const char *path; /* or the name */
    unsigned mode;
    const char *group;
} locals[] = {
    { "unix", TEXT_INIT("unix:/run/janus.sock"), LISTEN_UNIX, "/run/janus.sock", 0600, "" },
    { "unix with a mode", TEXT_INIT("unix:/run/a,mode=0660"), LISTEN_UNIX, "/run/a", 0660, "" },
    { "unix with mode and group", TEXT_INIT("unix:/run/a,mode=660,group=www-data"), LISTEN_UNIX,
      "/run/a", 0660, "www-data" },
    { "unix, group first", TEXT_INIT("unix:a.sock,group=7,mode=0"), LISTEN_UNIX, "a.sock", 0, "7" },
    { "systemd", TEXT_INIT("systemd:janus-sidecar.socket"), LISTEN_SYSTEMD, "janus-sidecar.socket",
      0, "" },
};

static void test_local(void **state)
{
    const struct local *row = *state;
    struct listen_address address;
    const char *why = "";

    assert_true(listen_address_parse(row->text, &address, &why));
    assert_int_equal(address.kind, row->kind);
    assert_string_equal(row->kind == LISTEN_UNIX
                            ? ((const struct sockaddr_un *)(const void *)&address.socket)->sun_path
                            : address.name,
                        row->path);
    assert_int_equal(address.mode, row->mode);
    assert_string_equal(address.group, row->group);
    assert_true(address.loopback);
}

static struct refused {
    const char *name;
    struct text text;
    const char *why;
} refused_listen[] = {
    { "nothing", TEXT_INIT(""), "address and port" },
    { "a port alone", TEXT_INIT("8380"), "address and port" },
    { "no host", TEXT_INIT(":8380"), "literal address" },
    { "no port", TEXT_INIT("127.0.0.1:"), "the port" },
    { "port too large", TEXT_INIT("127.0.0.1:65536"), "the port" },
    { "port with a sign", TEXT_INIT("127.0.0.1:+80"), "the port" },
    { "port with leading zeros without end", TEXT_INIT("127.0.0.1:000080"), "the port" },
    { "a name", TEXT_INIT("localhost:8380"), "literal address" },
    { "short IPv4", TEXT_INIT("127.1:80"), "literal address" },
    { "octal IPv4", TEXT_INIT("0177.0.0.1:80"), "literal address" },
    { "blank before", TEXT_INIT(" 127.0.0.1:80"), "literal address" },
    { "NUL inside", TEXT_INIT("127.0.0.1\0x:80"), "literal address" },
    { "very long", TEXT_INIT("1111111111111111111111111111111111111111111111111111111:80"),
      "literal address" },
    { "IPv6 without brackets", TEXT_INIT("::1:8380"), "brackets" },
    { "bracket not closed", TEXT_INIT("[::1:8380"), "closing bracket" },
    { "IPv6 without port", TEXT_INIT("[::1]"), "a port" },
    { "no colon behind the bracket", TEXT_INIT("[::1]8380"), "a port" },
    { "IPv4 in brackets", TEXT_INIT("[127.0.0.1]:80"), "not an IPv6" },
    { "IPv6 with a zone", TEXT_INIT("[fe80::1%lo]:80"), "not an IPv6" },
    { "a Unix socket without a path", TEXT_INIT("unix:"), "a path" },
    { "a Unix socket with suffixes only", TEXT_INIT("unix:,mode=0660"), "a path" },
    { "an abstract socket", TEXT_INIT("unix:@janus"), "abstract" },
    { "a path that is too long", { long_path, sizeof(long_path) - 1 }, "107" },
    { "a NUL in the path", TEXT_INIT("unix:/run/a\0b"), "107" },
    { "no mode", TEXT_INIT("unix:/run/a,mode="), "octal" },
    { "a mode in decimal", TEXT_INIT("unix:/run/a,mode=0680"), "octal" },
    { "a mode with set-uid", TEXT_INIT("unix:/run/a,mode=4755"), "octal" },
    { "a mode without end", TEXT_INIT("unix:/run/a,mode=777777777777777777"), "octal" },
    { "no group", TEXT_INIT("unix:/run/a,group="), "group" },
    { "a group that is too long", TEXT_INIT("unix:/run/a,group=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
      "group" },
    { "an owner", TEXT_INIT("unix:/run/a,owner=me"), "only mode= and group=" },
    { "a comma at the end", TEXT_INIT("unix:/run/a,"), "only mode= and group=" },
    { "systemd without a name", TEXT_INIT("systemd:"), "a name" },
    { "systemd with two names", TEXT_INIT("systemd:a:b"), "no colon" },
};

static void test_refused_listen(void **state)
{
    const struct refused *row = *state;
    struct listen_address address;
    const char *why = "";

    assert_false(listen_address_parse(row->text, &address, &why));
    assert_non_null(strstr(why, row->why));
}

static struct covers {
    const char *name;
    struct text range;
    const char *address;
    bool want;
} coverings[] = {
    { "inside", TEXT_INIT("10.0.0.0/8"), "10.255.0.1", true },
    { "one address", TEXT_INIT("10.1.2.3"), "10.1.2.3", true },
    { "odd length", TEXT_INIT("192.168.128.0/17"), "192.168.255.255", true },
    { "everything IPv4", TEXT_INIT("0.0.0.0/0"), "8.8.8.8", true },
    { "mapped address is judged as IPv4", TEXT_INIT("10.0.0.0/8"), "::ffff:10.0.0.1", true },
    { "mapped range is IPv4 too", TEXT_INIT("::ffff:10.0.0.0/104"), "10.9.9.9", true },
    { "IPv6 inside", TEXT_INIT("fd00::/8"), "fdff::1", true },
    { "everything IPv6", TEXT_INIT("::/0"), "2001:db8::1", true },
    { "IPv6 loopback", TEXT_INIT("::1"), "::1", true },
    { "next network", TEXT_INIT("10.0.0.0/8"), "11.0.0.0", false },
    { "next address", TEXT_INIT("10.1.2.3"), "10.1.2.2", false },
    { "odd length, outside", TEXT_INIT("192.168.128.0/17"), "192.168.127.255", false },
    { "everything IPv4 is no IPv6", TEXT_INIT("0.0.0.0/0"), "::1", false },
    { "everything IPv6 is no mapped IPv4", TEXT_INIT("::/0"), "::ffff:10.0.0.1", false },
    { "mapped, outside", TEXT_INIT("10.0.0.0/8"), "::ffff:11.0.0.1", false },
    { "IPv4-compatible is not mapped", TEXT_INIT("10.0.0.0/8"), "::10.0.0.1", false },
    { "IPv6 outside", TEXT_INIT("fd00::/8"), "fc00::1", false },
};

static const struct sockaddr *address_of(const char *text, struct sockaddr_storage *storage)
{
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    struct sockaddr_in v4 = { .sin_family = AF_INET };

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        memcpy(storage, &v4, sizeof(v4));
    else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
        memcpy(storage, &v6, sizeof(v6));
    return (const struct sockaddr *)storage;
}

static void test_covers(void **state)
{
    const struct covers *row = *state;
    struct sockaddr_storage storage = { 0 };
    const char *why = "";
    struct cidr range;

    assert_true(cidr_parse(row->range, &range, &why));
    assert_int_equal(cidr_covers(&range, address_of(row->address, &storage)), row->want);
}

static void test_covers_family(void **state)
{
    struct sockaddr_storage storage = { .ss_family = AF_UNIX };
    const char *why = "";
    struct cidr range;

    (void)state;
    assert_true(cidr_parse(TEXT("0.0.0.0/0"), &range, &why));
    assert_false(cidr_covers(&range, (struct sockaddr *)&storage));
}

static struct server {
    const char *name;
    struct text text;
    const char *address; /* NULL: refused */
    uint16_t port;
} servers[] = {
    { "IPv4", TEXT_INIT("10.0.0.53"), "10.0.0.53", 53 },
    { "IPv4 and port", TEXT_INIT("127.0.0.1:5353"), "127.0.0.1", 5353 },
    { "IPv6", TEXT_INIT("fd00::53"), "fd00::53", 53 },
    { "IPv6 in brackets", TEXT_INIT("[::1]"), "::1", 53 },
    { "IPv6 and port", TEXT_INIT("[::1]:65535"), "::1", 65535 },
    { "nothing", TEXT_INIT(""), NULL, 0 },
    { "a name", TEXT_INIT("ns.example"), NULL, 0 },
    { "a port alone", TEXT_INIT(":53"), NULL, 0 },
    { "port 0", TEXT_INIT("10.0.0.53:0"), NULL, 0 },
    { "IPv6 and port 0", TEXT_INIT("[::1]:0"), NULL, 0 },
    { "port too large", TEXT_INIT("10.0.0.53:65536"), NULL, 0 },
    { "no port behind the colon", TEXT_INIT("10.0.0.53:"), NULL, 0 },
    { "IPv6, no port behind the colon", TEXT_INIT("[::1]:"), NULL, 0 },
    { "a bracket that stays open", TEXT_INIT("[::1"), NULL, 0 },
    { "something behind the bracket", TEXT_INIT("[::1]53"), NULL, 0 },
    { "IPv4 in brackets", TEXT_INIT("[10.0.0.53]"), NULL, 0 },
    { "a zone", TEXT_INIT("fe80::1%eth0"), NULL, 0 },
    { "short IPv4", TEXT_INIT("127.1"), NULL, 0 },
};

static void test_server(void **state)
{
    const struct server *row = *state;
    char address[INET6_ADDRSTRLEN];
    struct sockaddr_storage server;
    const char *why = NULL;

    assert_int_equal(server_parse(row->text, &server, &why), row->address != NULL);
    if (!row->address) {
        assert_non_null(strstr(why, "name server"));
        return;
    }
    const struct sockaddr_in *four = (const void *)&server;
    const struct sockaddr_in6 *six = (const void *)&server;
    assert_non_null(inet_ntop(server.ss_family,
                              server.ss_family == AF_INET ? (const void *)&four->sin_addr
                                                          : (const void *)&six->sin6_addr,
                              address, sizeof(address)));
    assert_string_equal(address, row->address);
    assert_int_equal(ntohs(server.ss_family == AF_INET ? four->sin_port : six->sin6_port),
                     row->port);
}

static struct refused refused_cidr[] = {
    { "nothing", TEXT_INIT(""), "not an address range" },
    { "a name", TEXT_INIT("localhost"), "not an address range" },
    { "short IPv4", TEXT_INIT("10/8"), "not an address range" },
    { "a port", TEXT_INIT("10.0.0.1:80"), "not an address range" },
    { "brackets", TEXT_INIT("[::1]"), "not an address range" },
    { "a zone", TEXT_INIT("fe80::1%lo/64"), "not an address range" },
    { "no length", TEXT_INIT("10.0.0.0/"), "the length" },
    { "length too large for IPv4", TEXT_INIT("10.0.0.0/33"), "the length" },
    { "length too large for IPv6", TEXT_INIT("::/129"), "the length" },
    { "negative length", TEXT_INIT("10.0.0.0/-1"), "the length" },
    { "a mask", TEXT_INIT("10.0.0.0/255.0.0.0"), "the length" },
    { "two lengths", TEXT_INIT("10.0.0.0/8/8"), "the length" },
    { "bits behind the length", TEXT_INIT("10.0.0.1/8"), "bits set" },
    { "IPv6 bits behind the length", TEXT_INIT("fd00::1/8"), "bits set" },
};

static void test_refused_cidr(void **state)
{
    const struct refused *row = *state;
    const char *why = "";
    struct cidr range;

    assert_false(cidr_parse(row->text, &range, &why));
    assert_non_null(strstr(why, row->why));
}

static struct connect {
    const char *name;
    struct text text;
    struct connect_to want;
} accepted_connect[] = {
    { "all four",
      TEXT_INIT("api.example.com:443:127.0.0.1:9443"),
      { "api.example.com", 443, "127.0.0.1", 9443 } },
    { "any host and port", TEXT_INIT("::127.0.0.1:9443"), { "", 0, "127.0.0.1", 9443 } },
    { "port alone changes", TEXT_INIT("a.example:443::9443"), { "a.example", 443, "", 9443 } },
    { "address alone changes",
      TEXT_INIT("a.example::b.example:"),
      { "a.example", 0, "b.example", 0 } },
    { "case and trailing dot go",
      TEXT_INIT("API.Example.COM.:443:B.example.:1"),
      { "api.example.com", 443, "b.example", 1 } },
    { "IPv6 becomes canonical",
      TEXT_INIT("[2001:DB8:0::1]:443:[0:0::1]:9443"),
      { "2001:db8::1", 443, "::1", 9443 } },
};

static void test_connect(void **state)
{
    const struct connect *row = *state;
    struct connect_to out;
    const char *why = "";

    assert_true(connect_to_parse(row->text, &out, &why));
    assert_string_equal(out.host, row->want.host);
    assert_int_equal(out.port, row->want.port);
    assert_string_equal(out.to_host, row->want.to_host);
    assert_int_equal(out.to_port, row->want.to_port);
}

static struct refused refused_connect[] = {
    { "nothing", TEXT_INIT(""), "the form" },
    { "a host alone", TEXT_INIT("a.example"), "the form" },
    { "three parts", TEXT_INIT("a.example:443:127.0.0.1"), "the form" },
    { "five parts", TEXT_INIT("a.example:443:127.0.0.1:80:90"), "a port" },
    { "IPv6 without brackets", TEXT_INIT("::1:443:127.0.0.1:80"), "a port" },
    { "bracket not closed", TEXT_INIT("[::1:443:127.0.0.1:80"), "the form" },
    { "no IPv6 in brackets", TEXT_INIT("[a.example]:443:127.0.0.1:80"), "the form" },
    { "text behind the bracket", TEXT_INIT("[::1]x:443:127.0.0.1:80"), "the form" },
    { "a wildcard", TEXT_INIT("*.example:443:127.0.0.1:80"), "the form" },
    { "a path", TEXT_INIT("a/b:443:127.0.0.1:80"), "the form" },
    { "a blank", TEXT_INIT("a b:443:127.0.0.1:80"), "the form" },
    { "a dot alone", TEXT_INIT(".:443:127.0.0.1:80"), "the form" },
    { "port 0", TEXT_INIT("a.example:0:127.0.0.1:80"), "a port" },
    { "port too large", TEXT_INIT("a.example:443:127.0.0.1:65536"), "a port" },
    { "nothing changes", TEXT_INIT("a.example:443::"), "changes nothing" },
};

static void test_refused_connect(void **state)
{
    const struct refused *row = *state;
    struct connect_to out;
    const char *why = "";

    assert_false(connect_to_parse(row->text, &out, &why));
    assert_non_null(strstr(why, row->why));
}

static void test_longest_name(void **state)
{
    char text[HOST_MAX + 64];
    struct connect_to out;
    const char *why = "";

    (void)state;
    memset(text, 'a', HOST_MAX + 1);
    memcpy(text + HOST_MAX, ":1::2", sizeof(":1::2"));
    assert_true(connect_to_parse(text_of(text), &out, &why));
    assert_int_equal(strlen(out.host), HOST_MAX);
    memcpy(text + HOST_MAX, "a:1::2", sizeof("a:1::2"));
    assert_false(connect_to_parse(text_of(text), &out, &why));
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, accepted_listen, test_listen);
    STORIES_ADD(&stories, locals, test_local);
    STORIES_ADD(&stories, refused_listen, test_refused_listen);
    STORIES_ADD(&stories, coverings, test_covers);
    STORIES_ADD(&stories, servers, test_server);
    STORIES_ADD(&stories, refused_cidr, test_refused_cidr);
    STORIES_ADD(&stories, accepted_connect, test_connect);
    STORIES_ADD(&stories, refused_connect, test_refused_connect);
    stories_add(&stories, "a range covers only IP addresses", test_covers_family, NULL);
    stories_add(&stories, "253 bytes of name and no more", test_longest_name, NULL);
    return stories_run("address", &stories);
}
