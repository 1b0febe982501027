/* An origin's TLS: which certificates, names, versions and staples are accepted, and which are not.
 * A refusal says why, and not one byte of the request has left. */
#include <stdio.h>
#include <string.h>

#include "tests/flow/kit_world.h"

#define STORE "storeacct.vtexcommercestable.com.br" /* a host where the app token is due */
#define OK    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

enum { DAY_S = 24 * 3600 };

static struct world world;
/* The origin is refused over and over: each story looks at the handshake itself, not at the open circuit. */
static const struct plan plan = { .policies = "*\t*\n127.0.0.2\t*\n[::1]\t*\n",
                                  .options = { "--circuit-failures", "0" } };

static void say_get(struct client *client, const char *host)
{
    char request[512];

    snprintf(request, sizeof(request), "GET https://%s/a HTTP/1.1\r\nHost: %s\r\n\r\n", host, host);
    client_say(client, request);
}

/* ---- refused ---- */

static struct refusal {
    const char *name;
    struct recipe recipe;
    const char *host; /* NULL: STORE */
    const char *says;
} refusals[] = {
    /* dates */
    { "expired: when, and whose",
      { .from_s = -3L * DAY_S, .to_s = -2L * DAY_S, .common = "old origin" },
      NULL,
      "certificate has expired: CN=old origin (depth 0) was valid until 20" },
    { "not yet valid",
      { .from_s = DAY_S, .to_s = 2L * DAY_S },
      NULL,
      "certificate is not yet valid: CN=flow origin (depth 0) is valid from 20" },
    { "the authority between has expired",
      { .signer = SIGNER_BETWEEN_EXPIRED },
      NULL,
      "certificate has expired: CN=Authority Between (depth 1) was valid until 20" },
    /* trust */
    { "a stranger's: who signed it",
      { .signer = SIGNER_STRANGER },
      NULL,
      "CN=flow origin (depth 0) is signed by CN=Strange Authority, which is not trusted" },
    { "the one between is not sent",
      { .signer = SIGNER_BETWEEN_MISSING },
      NULL,
      "is signed by CN=Authority Between, which is not trusted here, nor sent" },
    { "signed by itself",
      { .signer = SIGNER_ITSELF },
      NULL,
      "self-signed certificate: CN=flow origin (depth 0)" },
    { "for names that its authority may not sign",
      { .signer = SIGNER_CONSTRAINED },
      NULL,
      "permitted subtree violation" },
    { "for clients only", { .usage = "clientAuth" }, NULL, "certificate purpose" },
    /* strength */
    { "RSA of 1024 bits", { .rsa_bits = 1024 }, NULL, "EE certificate key too weak" },
    { "signed with SHA-1", { .sha1 = true }, NULL, "digest algorithm too weak" },
    /* names */
    { "other names, the first four of them",
      { .names = "DNS:a.test,DNS:b.test,IP:10.0.0.1,DNS:c.test,DNS:d.test,DNS:e.test" },
      NULL,
      "hostname mismatch: expected " STORE
      ", the certificate is for a.test, b.test, 10.0.0.1, c.test and 2 more" },
    { "the right CN and no names",
      { .names = "", .common = STORE },
      NULL,
      "hostname mismatch: expected " STORE ", the certificate is for no host at all" },
    { "the right CN and a wrong name",
      { .names = "DNS:nobody.test", .common = STORE },
      NULL,
      "the certificate is for nobody.test" },
    { "an address alone, whose CN is the host",
      { .names = "IP:127.0.0.1", .common = STORE },
      NULL,
      "the certificate is for 127.0.0.1" },
    { "a wildcard is one label",
      { .names = "DNS:*.partner.example" },
      "x.y.partner.example",
      "hostname mismatch" },
    { "a wildcard is not none",
      { .names = "DNS:*.partner.example" },
      "partner.example",
      "hostname mismatch" },
    { "a wildcard is a whole label",
      { .names = "DNS:a*.partner.example" },
      "any.partner.example",
      "hostname mismatch" },
    { "... at its end either",
      { .names = "DNS:*y.partner.example" },
      "any.partner.example",
      "hostname mismatch" },
    { "a wildcard stands first",
      { .names = "DNS:any.*.example" },
      "any.partner.example",
      "hostname mismatch" },
    { "a wildcard for a top-level domain",
      { .names = "DNS:*.example" },
      "partner.example",
      "hostname mismatch" },
    { "a wildcard alone", { .names = "DNS:*" }, "any.partner.example", "hostname mismatch" },
    { "a name is not the end of another",
      { .names = "DNS:partner.example" },
      "evilpartner.example",
      "hostname mismatch" },
    { "an address needs an address",
      { .names = "DNS:127.0.0.2" },
      "127.0.0.2",
      "IP address mismatch: expected 127.0.0.2, the certificate is for 127.0.0.2" },
    { "another address",
      { .names = "IP:127.0.0.1" },
      "127.0.0.2",
      "IP address mismatch: expected 127.0.0.2" },
    { "an IDN without its xn-- form",
      { .names = "DNS:b?cher.partner.example" },
      "xn--bcher-kva.partner.example",
      "hostname mismatch" },
    /* versions and ciphers */
    { "TLS 1.1", { .version = TLS1_1_VERSION }, NULL, "TLS 1.2 or 1.3 is needed" },
    { "CBC and SHA-1",
      { .version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-SHA" },
      NULL,
      "none of the ciphers with forward secrecy and AEAD" },
    { "no forward secrecy",
      { .version = TLS1_2_VERSION, .rsa_bits = 2048, .ciphers = "AES128-GCM-SHA256" },
      NULL,
      "none of the ciphers with forward secrecy and AEAD" },
    { "3DES",
      { .version = TLS1_2_VERSION, .rsa_bits = 2048, .ciphers = "DES-CBC3-SHA:AES256-SHA" },
      NULL,
      "none of the ciphers with forward secrecy and AEAD" },
    /* ALPN */
    { "it chooses h2", { .alpn = "h2" }, NULL, "http/1.1" },
    { "it chooses HTTP/1.0", { .alpn = "http/1.0" }, NULL, "http/1.1" },
    /* staples */
    { "revoked", { .staple = STAPLE_REVOKED }, NULL, "the certificate was revoked on 20" },
    { "revoked, TLS 1.2",
      { .staple = STAPLE_REVOKED, .version = TLS1_2_VERSION },
      NULL,
      "the certificate was revoked on 20" },
    { "an old staple", { .staple = STAPLE_EXPIRED }, NULL, "is not of now" },
    { "a staple of tomorrow", { .staple = STAPLE_EARLY }, NULL, "is not of now" },
    { "a staple of another certificate",
      { .staple = STAPLE_OF_ANOTHER },
      NULL,
      "is about another certificate" },
    { "a staple signed by somebody else",
      { .staple = STAPLE_OF_A_STRANGER },
      NULL,
      "is not signed by the certificate's issuer" },
    { "a staple that is none", { .staple = STAPLE_GARBAGE }, NULL, "cannot be read" },
    { "must-staple without", { .must_staple = true }, NULL, "(must-staple), and none was sent" },
    { "must-staple without, TLS 1.2",
      { .must_staple = true, .version = TLS1_2_VERSION },
      NULL,
      "(must-staple), and none was sent" },
    { "must-staple, and the responder does not know",
      { .must_staple = true, .staple = STAPLE_UNKNOWN },
      NULL,
      "the responder does not know the certificate" },
    { "must-staple, and the responder is busy",
      { .must_staple = true, .staple = STAPLE_TRY_LATER },
      NULL,
      "the responder gave no answer" },
};

static void is_refused(void **state)
{
    const struct refusal *story = *state;
    struct client *client = world_client(&world);

    origin_serve(world.origin, certificate_cook(&story->recipe));
    say_get(client, story->host ? story->host : STORE);
    origin_accept_failing(world.origin);
    expect_answer(client_response(client), 502, "OriginCertificate", story->says);
}

/* ---- accepted ---- */

static struct acceptance {
    const char *name;
    struct recipe recipe;
    const char *host, *server_name; /* NULL: STORE; server_name: "" is none */
} acceptances[] = {
    { "as usual", { 0 }, NULL, STORE },
    { "TLS 1.2", { .version = TLS1_2_VERSION }, NULL, STORE },
    { "TLS 1.3", { .version = TLS1_3_VERSION }, NULL, STORE },
    { "RSA of 2048 bits", { .rsa_bits = 2048 }, NULL, STORE },
    { "ChaCha20 in TLS 1.2",
      { .version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305" },
      NULL,
      STORE },
    { "an authority between", { .signer = SIGNER_BETWEEN }, NULL, STORE },
    { "for servers", { .usage = "serverAuth" }, NULL, STORE },
    { "ALPN http/1.1", { .alpn = "http/1.1" }, NULL, STORE },
    { "a wildcard",
      { .names = "DNS:*.partner.example" },
      "a.partner.example",
      "a.partner.example" },
    { "in capitals",
      { .names = "DNS:ANY.Partner.Example" },
      "any.partner.example",
      "any.partner.example" },
    { "a dot at the end",
      { .names = "DNS:any.partner.example" },
      "any.partner.example.",
      "any.partner.example" },
    { "an IDN",
      { .names = "DNS:xn--bcher-kva.partner.example" },
      "xn--bcher-kva.partner.example",
      "xn--bcher-kva.partner.example" },
    { "an IDN behind a wildcard",
      { .names = "DNS:*.partner.example" },
      "xn--bcher-kva.partner.example",
      "xn--bcher-kva.partner.example" },
    { "an address, without SNI", { .names = "IP:127.0.0.2" }, "127.0.0.2", "" },
    { "a staple", { .staple = STAPLE_GOOD }, NULL, STORE },
    { "a staple, TLS 1.2", { .staple = STAPLE_GOOD, .version = TLS1_2_VERSION }, NULL, STORE },
    { "a staple with SHA-256", { .staple = STAPLE_GOOD_SHA256 }, NULL, STORE },
    { "a staple of an authority between",
      { .staple = STAPLE_GOOD, .signer = SIGNER_BETWEEN },
      NULL,
      STORE },
    { "the responder does not know", { .staple = STAPLE_UNKNOWN }, NULL, STORE },
    { "the responder is busy", { .staple = STAPLE_TRY_LATER }, NULL, STORE },
    { "must-staple with a staple", { .staple = STAPLE_GOOD, .must_staple = true }, NULL, STORE },
};

static void is_accepted(void **state)
{
    const struct acceptance *story = *state;
    struct client *client = world_client(&world);

    origin_serve(world.origin, certificate_cook(&story->recipe));
    say_get(client, story->host ? story->host : STORE);
    struct origin_conn *conn = origin_accept(world.origin);
    const char *name = origin_server_name(conn);
    assert_string_equal(name ? name : "", story->server_name);
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
}

/* ---- what we offer ---- */

struct hello {
    unsigned char groups[32], versions[16], alpn[32], shares[4];
    size_t n_groups, n_versions, n_alpn;
    unsigned char ciphers[64];
    size_t n_ciphers;
    bool early_data, status_request;
};

static size_t copy_extension(SSL *ssl, unsigned type, unsigned char *out, size_t room)
{
    const unsigned char *bytes = NULL;
    size_t len = 0;

    if (SSL_client_hello_get0_ext(ssl, type, &bytes, &len) != 1)
        return 0;
    memcpy(out, bytes, len < room ? len : room);
    return len;
}

static int on_hello(SSL *ssl, int *alert, void *arg)
{
    struct hello *hello = arg;
    const unsigned char *ciphers;
    unsigned char unused[1];

    (void)alert;
    hello->n_groups = copy_extension(ssl, TLSEXT_TYPE_supported_groups, hello->groups, 32);
    hello->n_versions = copy_extension(ssl, TLSEXT_TYPE_supported_versions, hello->versions, 16);
    hello->n_alpn =
        copy_extension(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, hello->alpn, 32);
    copy_extension(ssl, TLSEXT_TYPE_key_share, hello->shares, 4);
    hello->status_request = copy_extension(ssl, TLSEXT_TYPE_status_request, unused, 1) > 0;
    hello->early_data =
        SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_early_data, &ciphers, &hello->n_ciphers) == 1;
    hello->n_ciphers = SSL_client_hello_get0_ciphers(ssl, &ciphers);
    memcpy(hello->ciphers, ciphers, hello->n_ciphers < 64 ? hello->n_ciphers : 64);
    return SSL_CLIENT_HELLO_SUCCESS;
}

static void offered(void **state)
{
    static const unsigned char groups
        [] = { 0, 6, 0, 0x1d, 0, 0x17, 0, 0x18 },
  versions[] = { 4, 3, 4, 3, 3 }, alpn[] = "\0\x09\x08http/1.1",
  ciphers[] = {
      0x13, 1,    0x13, 2,    0x13, 3,    0xc0, 0x2b, 0xc0, 0x2f, 0xc0,
      0x2c, 0xc0, 0x30, 0xcc, 0xa9, 0xcc, 0xa8, 0,    0xff /* RFC 5746: no renegotiation yet */
  };
    static const struct recipe usual;
    struct client *client = world_client(&world);
    SSL_CTX *context = certificate_cook(&usual);
    struct hello hello = { 0 };

    (void)state;
    SSL_CTX_set_client_hello_cb(context, on_hello, &hello);
    origin_serve(world.origin, context);
    say_get(client, STORE);
    struct origin_conn *conn = origin_accept(world.origin);
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
    assert_int_equal(hello.n_groups, sizeof(groups));
    assert_memory_equal(hello.groups, groups, sizeof(groups));
    assert_int_equal(hello.n_versions, sizeof(versions));
    assert_memory_equal(hello.versions, versions, sizeof(versions));
    assert_int_equal(hello.n_alpn, sizeof(alpn) - 1);
    assert_memory_equal(hello.alpn, alpn, sizeof(alpn) - 1);
    assert_int_equal(hello.n_ciphers, sizeof(ciphers));
    assert_memory_equal(hello.ciphers, ciphers, sizeof(ciphers));
    assert_memory_equal(hello.shares + 2, "\0\x1d", 2); /* X25519 is the one that we guess */
    assert_true(hello.status_request);
    assert_false(hello.early_data);
}

/* A ticket that would take early data, twice: the second time it is resumed. */
static void no_early_data(void **state)
{
    static const struct recipe eager = { .early_data = true, .version = TLS1_3_VERSION };
    SSL_CTX *context = certificate_cook(&eager);
    struct hello hello = { 0 };

    (void)state;
    SSL_CTX_set_client_hello_cb(context, on_hello, &hello);
    origin_serve(world.origin, context);
    for (int i = 0; i < 2; i++) {
        struct client *client = world_client(&world);
        say_get(client, STORE);
        struct origin_conn *conn = origin_accept(world.origin);
        assert_int_equal(origin_resumed(conn), i);
        assert_int_equal(SSL_get_early_data_status(origin_tls(conn)), SSL_EARLY_DATA_NOT_SENT);
        assert_false(hello.early_data);
        origin_head(conn);
        origin_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        origin_close(conn);
        expect_status(client_response(client), 200);
    }
}

static struct single singles[] = {
    { "what we offer", offered },
    { "no early data, though it would be taken", no_early_data },
};

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, refusals, is_refused);
    STORIES_ADD(&stories, acceptances, is_accepted);
    STORIES_ADD(&stories, singles, single_run);
    return flow_run("tls", &stories, &world, &plan);
}
