/* Which destination: contract section 3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "policy/destination.h"
#include "policy/host.h"

static char plain_any[] = "plain.test", plain_port[] = "ported.test:8081";
static char *const plaintext_hosts[] = { plain_any, plain_port };
static const uint16_t own_ports[] = { 8380, 80 };
static struct listen_address own_address; /* 192.0.2.7 */

static struct destination_rules rules_of(size_t n_own_ports)
{
    return (struct destination_rules){
        .default_host = "acme.vtexcommercestable.com.br",
        .plaintext_hosts = plaintext_hosts,
        .n_plaintext_hosts = 2,
        .own_ports = own_ports,
        .n_own_ports = n_own_ports,
        .own_addresses = &own_address,
        .n_own_addresses = 1,
    };
}

static const char *print(const struct destination *where, char out[1024])
{
    char authority[AUTHORITY_MAX];
    size_t len = destination_authority(where, authority);

    assert_int_equal(len, strlen(authority));
    snprintf(out, 1024, "%s %s %.*s%s%.*s", where->scheme == SCHEME_HTTPS ? "https" : "http",
             authority, (int)where->path.len, where->path.at, where->query.at ? "?" : "",
             (int)where->query.len, where->query.at ? where->query.at : "");
    return out;
}

struct story {
    const char *name, *target, *host, *proxy_to, *remote_port, *use_https, *want;
};

/* want == NULL: refused */
static const struct story stories[] = {
    /* absolute-form */
    { "http leaves over TLS", "http://a.test/x", "a.test", 0, 0, 0, "https a.test /x" },
    { "https in plaintext to us", "https://a.test/x", "a.test", 0, 0, 0, "https a.test /x" },
    { "scheme is case-blind", "HTTPS://a.test/x", 0, 0, 0, 0, "https a.test /x" },
    { "no Host is fine here", "http://a.test/x", 0, 0, 0, 0, "https a.test /x" },
    { "empty path", "http://a.test", 0, 0, 0, 0, "https a.test /" },
    { "only a query", "http://a.test?x=1", 0, 0, 0, 0, "https a.test /?x=1" },
    { "empty query stays", "http://a.test/x?", 0, 0, 0, 0, "https a.test /x?" },
    { "port 80 of http says nothing", "http://a.test:80/x", "a.test", 0, 0, 0, "https a.test /x" },
    { "port 80 of https is meant", "https://a.test:80/x", 0, 0, 0, 0, "https a.test:80 /x" },
    { "http on 443", "http://a.test:443/x", 0, 0, 0, 0, "https a.test /x" },
    { "another port", "http://a.test:8443/x", "a.test:8443", 0, 0, 0, "https a.test:8443 /x" },
    { "port with zeros", "http://a.test:00443/x", 0, 0, 0, 0, "https a.test /x" },
    { "Host in capitals", "http://a.test/x", "A.TEST", 0, 0, 0, "https a.test /x" },
    { "Host with the default port", "https://a.test/x", "a.test:443", 0, 0, 0, "https a.test /x" },
    { "8-bit path", "http://a.test/\xc3\xa7?\xe7", 0, 0, 0, 0, "https a.test /\xc3\xa7?\xe7" },
    { "path stays as sent", "http://a.test//a/../%2e;x\\", 0, 0, 0, 0,
      "https a.test //a/../%2e;x\\" },
    { "IPv6", "http://[2001:DB8:0::1]:8080/x", 0, 0, 0, 0, "https [2001:db8::1]:8080 /x" },
    { "IPv4", "http://93.184.216.34/x", 0, 0, 0, 0, "https 93.184.216.34 /x" },
    { "Host contradicts the name", "http://a.test/x", "b.test", 0, 0, 0, NULL },
    { "Host contradicts the port", "http://a.test/x", "a.test:8080", 0, 0, 0, NULL },
    { "Host has 80, target 443", "https://a.test/x", "a.test:80", 0, 0, 0, NULL },
    { "Host is empty", "http://a.test/x", "", 0, 0, 0, NULL },
    { "Host is no host", "http://a.test/x", "a test", 0, 0, 0, NULL },
    { "Host has two names", "http://a.test/x", "a.test, b.test", 0, 0, 0, NULL },
    { "no authority", "http:///x", 0, 0, 0, 0, NULL },
    { "no authority at all", "https://", 0, 0, 0, 0, NULL },
    { "userinfo", "http://u:p@a.test/x", 0, 0, 0, 0, NULL },
    { "userinfo hides the host", "https://a.test@evil.test/", 0, 0, 0, 0, NULL },
    { "backslash before @", "https://a.test\\@evil.test/", 0, 0, 0, 0, NULL },
    { "backslash in the host", "https://a.test\\.evil.test/", 0, 0, 0, 0, NULL },
    { "fragment", "http://a.test/x#y", 0, 0, 0, 0, NULL },
    { "fragment in the authority", "http://a.test#@b.test/x", 0, 0, 0, 0, NULL },
    { "blank in the path", "http://a.test/x y", 0, 0, 0, 0, NULL },
    { "blank in the host", "http://a test/x", 0, 0, 0, 0, NULL },
    { "tab in the query", "http://a.test/x?\t", 0, 0, 0, 0, NULL },
    { "DEL", "http://a.test/\x7f", 0, 0, 0, 0, NULL },
    { "empty port", "http://a.test:/x", 0, 0, 0, 0, NULL },
    { "port 0", "http://a.test:0/x", 0, 0, 0, 0, NULL },
    { "port 65536", "http://a.test:65536/x", 0, 0, 0, 0, NULL },
    { "port of six digits", "http://a.test:000443/x", 0, 0, 0, 0, NULL },
    { "port with a sign", "http://a.test:+80/x", 0, 0, 0, 0, NULL },
    { "two ports", "http://a.test:80:80/x", 0, 0, 0, 0, NULL },
    { "ftp", "ftp://a.test/x", 0, 0, 0, 0, NULL },
    { "ws", "ws://a.test/x", 0, 0, 0, 0, NULL },
    { "one slash", "http:/a.test/x", 0, 0, 0, 0, NULL },
    { "authority-form", "a.test:443", "a.test:443", 0, 0, 0, NULL },
    { "asterisk-form", "*", "a.test", 0, 0, 0, NULL },
    { "empty target", "", "a.test", 0, 0, 0, NULL },
    { "relative target", "x/y", "a.test", 0, 0, 0, NULL },
    { "target begins with a blank", " /x", "a.test", 0, 0, 0, NULL },
    /* origin-form */
    { "Host names the destination", "/x?an=acme", "portal.test", 0, 0, 0,
      "https portal.test /x?an=acme" },
    { "Host with port 80", "/x", "a.test:80", 0, 0, 0, "https a.test /x" },
    { "Host with another port", "/x", "a.test:8443", 0, 0, 0, "https a.test:8443 /x" },
    { "double slash is a path", "//evil.test/x", "a.test", 0, 0, 0, "https a.test //evil.test/x" },
    { "a URL is a path", "/http://evil.test/", "a.test", 0, 0, 0,
      "https a.test /http://evil.test/" },
    { "no Host", "/x", 0, 0, 0, 0, NULL },
    { "empty Host", "/x", "", 0, 0, 0, NULL },
    { "Host with a path", "/x", "a.test/y", 0, 0, 0, NULL },
    { "Host with userinfo", "/x", "u@a.test", 0, 0, 0, NULL },
    { "Host with a query", "/x", "a.test?", 0, 0, 0, NULL },
    { "Host with a blank behind", "/x", "a.test ", 0, 0, 0, NULL },
    /* ourselves */
    { "our address", "/x", "127.0.0.1:8380", 0, 0, 0, "https acme.vtexcommercestable.com.br /x" },
    { "any loopback", "/x", "127.1.2.3:8380", 0, 0, 0, "https acme.vtexcommercestable.com.br /x" },
    { "our address in IPv6", "/x", "[::1]:8380", 0, 0, 0,
      "https acme.vtexcommercestable.com.br /x" },
    { "localhost", "/x", "LocalHost:8380", 0, 0, 0, "https acme.vtexcommercestable.com.br /x" },
    { "localhost, port 80 is ours", "/x", "localhost", 0, 0, 0,
      "https acme.vtexcommercestable.com.br /x" },
    { "an own address off loopback", "/x", "192.0.2.7:8380", 0, 0, 0,
      "https acme.vtexcommercestable.com.br /x" },
    { "absolute-form of ourselves", "http://127.0.0.1:8380/x", "127.0.0.1:8380", 0, 0, 0,
      "https acme.vtexcommercestable.com.br /x" },
    { "https to ourselves", "https://localhost:8380/x", 0, 0, 0, 0,
      "https acme.vtexcommercestable.com.br /x" },
    { "another port of loopback is not us", "/x", "127.0.0.1:9229", 0, 0, 0,
      "https 127.0.0.1:9229 /x" },
    { "443 is not our port", "https://localhost/x", 0, 0, 0, 0, "https localhost /x" },
    { "a stranger on our port", "/x", "192.0.2.8:8380", 0, 0, 0, "https 192.0.2.8:8380 /x" },
    { "a name under localhost is not us", "/x", "a.localhost:8380", 0, 0, 0,
      "https a.localhost:8380 /x" },
    { "ourselves, then Proxy-To", "/x", "127.0.0.1:8380", "https://b.test", 0, 0,
      "https b.test /x" },
    { "Proxy-To is never ourselves", "/x", "a.test", "http://127.0.0.1:8380", 0, 0,
      "https 127.0.0.1:8380 /x" },
    /* X-Vtex-Proxy-To */
    { "Proxy-To takes over", "http://a.test/x?q", "a.test", "https://b.test", 0, 0,
      "https b.test /x?q" },
    { "Proxy-To with a port", "http://a.test/x", 0, "https://b.test:8080", 0, 0,
      "https b.test:8080 /x" },
    { "Proxy-To drops the first port", "http://a.test:8443/x", 0, "https://b.test", 0, 0,
      "https b.test /x" },
    { "Proxy-To with the same path", "http://a.test/x?q=1", 0, "https://b.test/x?token=2", 0, 0,
      "https b.test /x?q=1" },
    { "Proxy-To with blanks around", "http://a.test/x", 0, " https://b.test\t", 0, 0,
      "https b.test /x" },
    { "Proxy-To with /", "http://a.test", 0, "https://b.test/", 0, 0, "https b.test /" },
    { "Proxy-To with another path", "http://a.test/x", 0, "https://b.test/y", 0, 0, NULL },
    { "Proxy-To with / for /x", "http://a.test/x", 0, "https://b.test/", 0, 0, NULL },
    { "Proxy-To decoded differently", "http://a.test/x", 0, "https://b.test/%78", 0, 0, NULL },
    { "Proxy-To without a scheme", "http://a.test/x", 0, "b.test", 0, 0, NULL },
    { "Proxy-To with ftp", "http://a.test/x", 0, "ftp://b.test", 0, 0, NULL },
    { "Proxy-To with userinfo", "http://a.test/x", 0, "https://u@b.test", 0, 0, NULL },
    { "Proxy-To with a fragment", "http://a.test/x", 0, "https://b.test/x#", 0, 0, NULL },
    { "Proxy-To with a blank", "http://a.test/x", 0, "https://b.test/x, c", 0, 0, NULL },
    { "Proxy-To is empty", "http://a.test/x", 0, "", 0, 0, NULL },
    { "Proxy-To does not heal a bad Host", "http://a.test/x", "c.test", "https://b.test", 0, 0,
      NULL },
    /* X-Vtex-Remote-Port */
    { "Remote-Port", "http://a.test/x", 0, 0, "9090", 0, "https a.test:9090 /x" },
    { "Remote-Port beats Proxy-To", "http://a.test/x", 0, "https://b.test:1", "9090", 0,
      "https b.test:9090 /x" },
    { "Remote-Port 80 names nothing", "http://a.test:8443/x", 0, 0, "80", "true",
      "https a.test /x" },
    { "Remote-Port 443", "http://a.test/x", 0, 0, "443", "true", "https a.test /x" },
    { "Remote-Port is empty", "http://a.test/x", 0, 0, "", 0, NULL },
    { "Remote-Port is 0", "http://a.test/x", 0, 0, "0", 0, NULL },
    { "Remote-Port is negative", "http://a.test/x", 0, 0, "-1", 0, NULL },
    { "Remote-Port is a list", "http://a.test/x", 0, 0, "80, 81", 0, NULL },
    { "Remote-Port is hexadecimal", "http://a.test/x", 0, 0, "0x50", 0, NULL },
    /* X-Vtex-Use-Https */
    { "Use-Https", "http://a.test/x", 0, 0, 0, "true", "https a.test /x" },
    { "Use-Https in capitals", "http://a.test/x", 0, 0, 0, " TRUE ", "https a.test /x" },
    { "Use-Https false still is TLS", "http://a.test/x", 0, 0, 0, "false", "https a.test /x" },
    { "Use-Https is 1", "http://a.test/x", 0, 0, 0, "1", NULL },
    { "Use-Https is empty", "http://a.test/x", 0, 0, 0, "", NULL },
    { "Use-Https is a list", "http://a.test/x", 0, 0, 0, "true, true", NULL },
    /* plaintext hosts */
    { "plaintext host", "http://plain.test/x", 0, 0, 0, 0, "http plain.test /x" },
    { "plaintext host, origin-form", "/x", "plain.test", 0, 0, 0, "http plain.test /x" },
    { "plaintext host, another port", "http://plain.test:81/x", 0, 0, 0, 0,
      "http plain.test:81 /x" },
    { "plaintext host, Remote-Port", "http://plain.test/x", 0, 0, "81", 0,
      "http plain.test:81 /x" },
    { "plaintext host by Proxy-To", "https://a.test/x", 0, "http://plain.test", 0, 0,
      "http plain.test /x" },
    { "plaintext host on its port", "http://ported.test:8081/x", 0, 0, 0, 0,
      "http ported.test:8081 /x" },
    { "plaintext host off its port", "http://ported.test/x", 0, 0, 0, 0, "https ported.test /x" },
    { "plaintext host asked for https", "https://plain.test/x", 0, 0, 0, 0, "https plain.test /x" },
    { "plaintext host with Use-Https", "http://plain.test/x", 0, 0, 0, "true",
      "https plain.test /x" },
    { "a name under a plaintext host", "http://a.plain.test/x", 0, 0, 0, 0,
      "https a.plain.test /x" },
};

static void tell(const struct story *story, const struct destination_rules *rules)
{
    struct destination_request request = {
        .method = TEXT("GET"),
        .target = text_of(story->target),
        .host = text_of(story->host),
        .proxy_to = text_of(story->proxy_to),
        .remote_port = text_of(story->remote_port),
        .use_https = text_of(story->use_https),
    };
    struct destination where;
    const char *why = NULL;
    char printed[1024];
    enum destination_result result = destination_of(rules, &request, &where, &why);

    if (story->want && result != DESTINATION_OK)
        fail_msg("%s: refused: %s", story->name, why);
    if (!story->want && (result != DESTINATION_BAD || !why))
        fail_msg("%s: went to %s", story->name, print(&where, printed));
    if (story->want && strcmp(print(&where, printed), story->want) != 0)
        fail_msg("%s: went to %s, not to %s", story->name, printed, story->want);
}

static void stories_come_true(void **state)
{
    struct destination_rules rules = rules_of(2);

    (void)state;
    for (size_t i = 0; i < sizeof stories / sizeof *stories; i++)
        tell(&stories[i], &rules);
}

static void without_tcp_nothing_is_ours(void **state)
{
    static const struct story unix_only[] = {
        { "localhost over a Unix socket", "/x", "localhost", 0, 0, 0, "https localhost /x" },
        { "loopback over a Unix socket", "/x", "127.0.0.1:8380", 0, 0, 0,
          "https 127.0.0.1:8380 /x" },
    };
    struct destination_rules rules = rules_of(0), only_8380 = rules_of(1);
    static const struct story no_80 = {
        "localhost, port 80 is not ours", "/x", "localhost", 0, 0, 0, "https localhost /x"
    };

    (void)state;
    for (size_t i = 0; i < sizeof unix_only / sizeof *unix_only; i++)
        tell(&unix_only[i], &rules);
    tell(&no_80, &only_8380);
}

static void methods_that_are_not_forwarded(void **state)
{
    static const char *const methods[] = { "CONNECT", "connect", "TRACE" };
    struct destination_rules rules = rules_of(1);

    (void)state;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        struct destination_request request = { .method = text_of(methods[i]),
                                               .target = TEXT("a.test:443") };
        struct destination where;
        const char *why = NULL;

        assert_int_equal(destination_of(&rules, &request, &where, &why), DESTINATION_CONNECT);
        assert_non_null(why);
    }
}

/* want == NULL: refused; path: what is judged */
static const struct {
    const char *method, *target, *host, *want, *path;
    bool asterisk;
} whole_servers[] = {
    { "OPTIONS", "*", "a.test", "a.test", "/*", true },
    { "OPTIONS", "http://a.test", NULL, "a.test", "/*", true },
    { "OPTIONS", "https://a.test:8443", "a.test:8443", "a.test", "/*", true },
    { "OPTIONS", "http://a.test/", NULL, "a.test", "/", false },
    { "OPTIONS", "http://a.test?", NULL, "a.test", "/", false },
    { "OPTIONS", "/*", "a.test", "a.test", "/*", false },
    { "GET", "http://a.test", NULL, "a.test", "/", false },
    { "OPTIONS", "*", NULL, NULL, NULL, false },
    { "OPTIONS", "*", "a.test/x", NULL, NULL, false },
    { "OPTIONS", "http://a.test", "b.test", NULL, NULL, false },
    { "OPTIONS", "http://", "a.test", NULL, NULL, false },
    { "OPTIONS", "**", "a.test", NULL, NULL, false },
    { "OPTIONS", "*/", "a.test", NULL, NULL, false },
    { "options", "*", "a.test", NULL, NULL, false },
    { "GET", "*", "a.test", NULL, NULL, false },
};

static void options_of_a_whole_server(void **state)
{
    struct destination_rules rules = rules_of(1);

    (void)state;
    for (size_t i = 0; i < sizeof whole_servers / sizeof *whole_servers; i++) {
        struct destination_request request = { .method = text_of(whole_servers[i].method),
                                               .target = text_of(whole_servers[i].target),
                                               .host = text_of(whole_servers[i].host) };
        struct destination where;
        const char *why = NULL;
        enum destination_result result = destination_of(&rules, &request, &where, &why);

        assert_int_equal(result, whole_servers[i].want ? DESTINATION_OK : DESTINATION_BAD);
        if (!whole_servers[i].want)
            continue;
        assert_string_equal(where.host, whole_servers[i].want);
        assert_int_equal(where.asterisk, whole_servers[i].asterisk);
        assert_true(text_eq(where.path, text_of(whole_servers[i].path)));
        assert_true(!where.asterisk || !where.query.at);
    }
}

/* want == NULL: refused */
static const struct {
    const char *name, *written, *want;
    bool is_address;
} hosts[] = {
    { "plain", "a.example.com", "a.example.com", false },
    { "capitals", "A.Example.COM", "a.example.com", false },
    { "trailing dot", "a.example.com.", "a.example.com", false },
    { "underscore", "_dmarc.my_host.example", "_dmarc.my_host.example", false },
    { "hyphens at the ends of a label", "-a-.example", "-a-.example", false },
    { "U-label",
      "b\xc3\xbc"
      "cher.example",
      "xn--bcher-kva.example", false },
    { "decomposed U-label",
      "bu\xcc\x88"
      "cher.example",
      "xn--bcher-kva.example", false },
    { "A-label", "XN--Bcher-kva.example", "xn--bcher-kva.example", false },
    { "IPv4", "93.184.216.34", "93.184.216.34", true },
    { "IPv6 in its short form", "[2001:DB8:0:0:0:0:0:1]", "2001:db8::1", true },
    { "mapped IPv6 stays an address", "[::ffff:127.0.0.1]", "::ffff:127.0.0.1", true },
    { "a number that is no last label", "1.2.3.4.example", "1.2.3.4.example", false },
    { "empty", "", NULL, false },
    { "a dot", ".", NULL, false },
    { "leading dot", ".example.com", NULL, false },
    { "two dots", "a..example.com", NULL, false },
    { "two trailing dots", "example.com..", NULL, false },
    { "percent", "a%2eexample.com", NULL, false },
    { "star", "*.example.com", NULL, false },
    { "braces", "{{account}}.example.com", NULL, false },
    { "at", "a@example.com", NULL, false },
    { "slash", "a/b", NULL, false },
    { "NUL is no end", "a\1b", NULL, false },
    { "decimal IPv4", "2130706433", NULL, false },
    { "hexadecimal IPv4", "0x7f000001", NULL, false },
    { "hexadecimal, capital X", "0X7F.1", NULL, false },
    { "bare 0x", "a.0x", NULL, false },
    { "octal IPv4", "0177.0.0.1", NULL, false },
    { "leading zero", "93.184.216.034", NULL, false },
    { "short IPv4", "127.1", NULL, false },
    { "five parts", "1.2.3.4.5", NULL, false },
    { "part over 255", "1.2.3.256", NULL, false },
    { "fullwidth digits", "\xef\xbc\x91.2.3.4", NULL, false },
    { "ideographic full stop",
      "a\xe3\x80\x82"
      "example.com",
      NULL, false },
    { "fullwidth dot",
      "a\xef\xbc\x8e"
      "example.com",
      NULL, false },
    { "long s is no s", "te\xc5\xbft.example", NULL, false },
    { "Kelvin sign is no k",
      "\xe2\x84\xaa"
      "elvin.example",
      NULL, false },
    { "soft hyphen vanishes",
      "a\xc2\xad"
      "b.example",
      NULL, false },
    { "soft hyphen in an international name",
      "b\xc3\xbc\xc2\xad"
      "cher.example",
      NULL, false },
    { "no-break space before an international name",
      "\xc2\xa0"
      "b\xc3\xbc"
      "cher.example",
      NULL, false },
    { "zero-width space behind an international name",
      "b\xc3\xbc"
      "cher\xe2\x80\x8b.example",
      NULL, false },
    { "a ligature is two letters", "b\xc3\xbc\xef\xac\x81.example", NULL, false },
    { "not UTF-8", "a\xff.example", NULL, false },
    { "bad punycode", "xn--a.example", NULL, false },
    { "empty punycode", "xn--.example", NULL, false },
    { "A-label of ASCII", "xn--abc-.example", NULL, false },
    { "zone", "[fe80::1%eth0]", NULL, false },
    { "open bracket", "[::1", NULL, false },
    { "a name in brackets", "[a.example]", NULL, false },
    { "IPv4 in brackets", "[127.0.0.1]", NULL, false },
    { "IPvFuture", "[v1.a:b]", NULL, false },
    { "empty brackets", "[]", NULL, false },
    { "bare IPv6", "::1", NULL, false },
    { "label of 64", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test", NULL,
      false },
};

static void hosts_have_one_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct destination made;
        const char *why = NULL;
        bool good = host_canonical(text_of(hosts[i].written), &made, &why);

        if (good != (hosts[i].want != NULL))
            fail_msg("%s: %s", hosts[i].name, good ? made.host : why);
        if (good && (strcmp(made.host, hosts[i].want) != 0 || made.host_len != strlen(made.host) ||
                     made.host_is_address != hosts[i].is_address))
            fail_msg("%s: became %s", hosts[i].name, made.host);
    }
}

static void hosts_hold_no_nul(void **state)
{
    struct destination made;
    const char *why;

    (void)state;
    assert_false(host_canonical((struct text){ "a.test\0.evil.test", 17 }, &made, &why));
    assert_false(host_canonical((struct text){ "[::1\0]", 6 }, &made, &why));
}

static void hosts_have_253_characters_at_most(void **state)
{
    char written[400];
    struct destination made;
    const char *why;

    (void)state;
    for (size_t i = 0; i < sizeof written; i++)
        written[i] = i % 2 ? '.' : 'a';
    assert_true(host_canonical((struct text){ written, 253 }, &made, &why));
    assert_int_equal(made.host_len, 253);
    assert_true(host_canonical((struct text){ written, 254 }, &made, &why)); /* a trailing dot */
    assert_false(host_canonical((struct text){ written, 255 }, &made, &why));
    assert_false(host_canonical((struct text){ written, 399 }, &made, &why));
}

static void a_canonical_host_is_its_own_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct destination first, second;
        char written[HOST_MAX + 5];
        const char *why;

        if (!host_canonical(text_of(hosts[i].written), &first, &why))
            continue;
        snprintf(written, sizeof written, strchr(first.host, ':') ? "[%s]" : "%s", first.host);
        assert_true(host_canonical(text_of(written), &second, &why));
        assert_string_equal(first.host, second.host);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stories_come_true),
        cmocka_unit_test(without_tcp_nothing_is_ours),
        cmocka_unit_test(methods_that_are_not_forwarded),
        cmocka_unit_test(options_of_a_whole_server),
        cmocka_unit_test(hosts_have_one_form),
        cmocka_unit_test(hosts_hold_no_nul),
        cmocka_unit_test(hosts_have_253_characters_at_most),
        cmocka_unit_test(a_canonical_host_is_its_own_form),
    };
    struct sockaddr_in *own = (struct sockaddr_in *)&own_address.socket;

    own->sin_family = AF_INET;
    inet_pton(AF_INET, "192.0.2.7", &own->sin_addr);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
