/* What the operator says about the TLS of single hosts: certificates of ours, and pins. */
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_wait.h"
#include "tests/flow/kit_world.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

enum { DAY_S = 24 * 3600, VALUE_MAX = 512 };

static struct world world;
static struct folder *folder;
static char values[8][VALUE_MAX];

static void say_get(struct client *client, const char *host)
{
    char request[256];

    snprintf(request, sizeof(request), "GET https://%s/a HTTP/1.1\r\nHost: %s\r\n\r\n", host, host);
    client_say(client, request);
}

static void answer(struct client *client, struct origin_conn *conn)
{
    origin_head(conn);
    origin_say(conn, OK);
    expect_body(client_response(client), "ok");
}

/* ---- certificates of ours ---- */

static struct known {
    const char *name, *host, *common; /* common: of the certificate that the origin sees */
    int version;
} knowns[] = {
    { "a certificate for this host", "mtls.partner.example", "client one", 0 },
    { "... in TLS 1.2", "mtls.partner.example", "client one", TLS1_2_VERSION },
    { "certificate and key in one file, for a pattern", "a.mtls.partner.example", "client two", 0 },
    { "a template in the host", "storeacct.vtexcommercestable.com.br", "client two", 0 },
};

static void shows_its_own(void **state)
{
    const struct known *story = *state;
    struct recipe recipe = { .asks_client = true,
                             .version = story->version,
                             .names = "DNS:*.partner.example,DNS:*.mtls.partner.example,"
                                      "DNS:*.vtexcommercestable.com.br" };
    struct client *client = world_client(&world);
    char common[64] = "";

    origin_serve(world.origin, certificate_cook(&recipe));
    say_get(client, story->host);
    struct origin_conn *conn = origin_accept(world.origin);
    X509 *shown = SSL_get1_peer_certificate(origin_tls(conn));
    assert_non_null(shown);
    X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, common, sizeof(common));
    X509_free(shown);
    assert_string_equal(common, story->common);
    answer(client, conn);
}

/* An origin that asks, but would do without: others do not learn who we are. */
static void shows_nothing(void **state)
{
    static const struct recipe usual;
    SSL_CTX *context = certificate_cook(&usual);
    struct client *client = world_client(&world);

    (void)state;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    origin_serve(world.origin, context);
    say_get(client, "other.partner.example");
    struct origin_conn *conn = origin_accept(world.origin);
    assert_null(SSL_get0_peer_certificate(origin_tls(conn)));
    answer(client, conn);
}

static struct unknown {
    const char *name, *host;
    int version;
    const char *code, *says;
} unknowns[] = {
    { "no certificate, TLS 1.3", "other.partner.example", TLS1_3_VERSION, "OriginProtocol",
      "certificate required; the origin wants a certificate of ours: --client-cert" },
    { "no certificate, TLS 1.2", "other.partner.example", TLS1_2_VERSION, "OriginCertificate",
      "--client-cert" },
    { "a stranger's, TLS 1.3", "wrong.partner.example", TLS1_3_VERSION, "OriginProtocol",
      "unknown ca; the origin does not accept our certificate" },
    { "a stranger's, TLS 1.2", "wrong.partner.example", TLS1_2_VERSION, "OriginCertificate",
      "unknown ca; the origin does not accept our certificate" },
    { "an expired one", "old.partner.example", TLS1_2_VERSION, "OriginCertificate",
      "certificate expired; the origin does not accept our certificate" },
};

/* The origin says so with an alert; nothing of the request has come out of its TLS. */
static void is_not_known(void **state)
{
    const struct unknown *story = *state;
    struct recipe recipe = { .asks_client = true, .version = story->version };
    struct client *client = world_client(&world);

    origin_serve(world.origin, certificate_cook(&recipe));
    say_get(client, story->host);
    struct origin_conn *conn = origin_connected(world.origin);
    int result;
    do {
        result = SSL_accept(origin_tls(conn));
    } while (result != 1 &&
             stream_await(origin_fd(conn), origin_tls(conn), result, "the handshake"));
    assert_int_not_equal(result, 1);
    expect_answer(client_response(client), 502, story->code, story->says);
    origin_reset(conn);
}

/* ---- pins ---- */

static struct pinned {
    const char *name, *host;
    struct recipe recipe;
    const char *says; /* NULL: it is accepted */
} pinneds[] = {
    { "the origin's own key", "leaf.partner.example", { 0 }, NULL },
    { "its authority's key", "root.partner.example", { 0 }, NULL },
    { "one of several", "several.partner.example", { 0 }, NULL },
    { "another key",
      "leaf.partner.example",
      { .rsa_bits = 2048 },
      "no pinned key is in the chain: --pin for leaf.partner.example names neither the origin's "
      "own, sha256/" },
    { "the authority's key, and another authority below it",
      "root.partner.example",
      { .signer = SIGNER_BETWEEN },
      NULL },
    { "a pin of nobody", "nobody.partner.example", { 0 }, "no pinned key" },
    { "the right key does not make a stranger trusted",
      "leaf.partner.example",
      { .signer = SIGNER_STRANGER },
      "is not trusted" },
    { "nor an expired certificate valid",
      "leaf.partner.example",
      { .from_s = -2L * DAY_S, .to_s = -DAY_S },
      "expired" },
    { "nor a wrong name right",
      "leaf.partner.example",
      { .names = "DNS:nobody.test" },
      "hostname mismatch" },
    { "no pin for this host", "free.partner.example", { .rsa_bits = 2048 }, NULL },
};

static void is_pinned(void **state)
{
    const struct pinned *story = *state;
    struct client *client = world_client(&world);

    origin_serve(world.origin, certificate_cook(&story->recipe));
    say_get(client, story->host);
    if (!story->says) {
        answer(client, origin_accept(world.origin));
        return;
    }
    origin_accept_failing(world.origin);
    expect_answer(client_response(client), 502, "OriginCertificate", story->says);
}

/* ---- findings ---- */

static struct finding {
    const char *name, *flag, *value, *says;
    int code;
} findings[] = {
    { "no certificate there", "--client-cert", "a.test=missing.pem",
      "--client-cert: error: missing.pem: No such file or directory", 1 },
    { "a folder", "--client-cert", "a.test=.", "it is not a regular file", 1 },
    { "no certificate in it", "--client-cert", "a.test=noise.pem",
      "noise.pem: there is no PEM certificate in it", 1 },
    { "no key in it", "--client-cert", "a.test=one.pem",
      "one.pem: there is no PEM private key in it", 1 },
    { "no key there", "--client-cert", "a.test=one.pem;missing.key",
      "missing.key: No such file or directory", 1 },
    { "the key of another", "--client-cert", "a.test=one.pem;rsa.key",
      "rsa.key: the private key does not belong to the first certificate", 1 },
    { "a key with a passphrase", "--client-cert", "a.test=one.pem;locked.key",
      "locked.key: its private key has a passphrase", 1 },
    { "expired", "--client-cert", "a.test=old.pem;old.key",
      "--client-cert: error: old.pem: the certificate expired 20", 1 },
    { "a key that others may read", "--client-cert", "a.test=two.pem",
      "--client-cert: warning: two.pem: the private key is open to others (mode 0644): chmod 600",
      0 },
    { "as it should be", "--client-cert", "a.test=one.pem;one.key", "", 0 },
    { "no host", "--client-cert", "one.pem", "must be HOST=CERTIFICATE.pem or", 1 },
    { "a bad pin", "--pin", "a.test=sha256/abc", "a pin must be sha256/ and the base64", 1 },
    { "a CA file that is none", "--ca-file", "noise.pem",
      "noise.pem is not a readable file of PEM certificates", 1 },
};

static void is_found(void **state)
{
    const struct finding *story = *state;
    const char *const options[] = { "validate",      "--account", "storeacct",  "--manifest",
                                    "manifest.json", story->flag, story->value, NULL };
    struct process_plan plan = { .program = "janus-sidecar",
                                 .work_folder = folder_path(folder),
                                 .options = options };
    struct process *process = process_start(&plan);
    int code = process_wait(process);

    if (code != story->code || !strstr(process_log(process), story->says))
        fail_msg("%d and \"%s\" were expected, not %d and:\n%s", story->code, story->says, code,
                 process_log(process));
    process_free(process);
}

/* The same findings, with the same words, end a start. */
static void does_not_start(void **state)
{
    const char *const options[] = {
        "run",           "--account",     "storeacct",          "--manifest",
        "manifest.json", "--listen",      "127.0.0.1:0",        "--admin",
        "127.0.0.1:0",   "--client-cert", "a.test=missing.pem", NULL
    };
    struct process_plan plan = { .program = "janus-sidecar",
                                 .work_folder = folder_path(folder),
                                 .options = options };
    struct process *process = process_start(&plan);

    (void)state;
    assert_int_equal(process_wait(process), 2);
    assert_non_null(strstr(process_log(process), "missing.pem: No such file or directory"));
    process_free(process);
}

/* ---- the world ---- */

static struct single singles[] = {
    { "who is not named in --client-cert does not see a certificate", shows_nothing },
    { "a certificate that is not there ends the start", does_not_start },
};

static void write_locked_key(const char *path)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    PEM_write_PrivateKey(file, key, EVP_aes_128_cbc(), (const unsigned char *)"secret", 6, NULL,
                         NULL);
    fclose(file);
    EVP_PKEY_free(key);
}

static void write_files(void)
{
    static const struct recipe one = { .common = "client one" }, two = { .common = "client two" },
                               rsa = { .common = "client rsa", .rsa_bits = 2048 },
                               wrong = { .common = "stranger", .signer = SIGNER_STRANGER },
                               old = { .from_s = -2L * DAY_S, .to_s = -DAY_S };

    certificate_write_pair(&one, folder_name(folder, "one.pem"), folder_name(folder, "one.key"));
    certificate_write_pair(&two, folder_name(folder, "two.pem"), NULL);
    certificate_write_pair(&rsa, folder_name(folder, "rsa.pem"), folder_name(folder, "rsa.key"));
    certificate_write_pair(&wrong, folder_name(folder, "wrong.pem"),
                           folder_name(folder, "wrong.key"));
    certificate_write_pair(&old, folder_name(folder, "old.pem"), folder_name(folder, "old.key"));
    write_locked_key(folder_name(folder, "locked.key"));
    folder_write(folder, "noise.pem", "noise");
    folder_manifest(folder, "*\t*\n");
}

static void write_values(void)
{
    static const char nobody[] = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const char *at = folder_path(folder);
    char own[PIN_TEXT_MAX], root[PIN_TEXT_MAX];

    certificate_pin(own);
    certificate_pin_of_authority(root);
    snprintf(values[0], VALUE_MAX, "MTLS.partner.example=%s/one.pem;%s/one.key", at, at);
    snprintf(values[1], VALUE_MAX, "*.mtls.partner.example=%s/two.pem", at);
    snprintf(values[2], VALUE_MAX,
             "wrong.partner.example=%s/wrong.pem;%s/wrong.key,old.partner.example=%s/old.pem;"
             "%s/old.key",
             at, at, at, at);
    snprintf(values[3], VALUE_MAX, "{{account}}.vtexcommercestable.com.br=%s/two.pem", at);
    snprintf(values[4], VALUE_MAX, "leaf.partner.example=%s", own);
    snprintf(values[5], VALUE_MAX, "root.partner.example=%s", root);
    snprintf(values[6], VALUE_MAX, "several.partner.example=%s; %s", nobody, own);
    snprintf(values[7], VALUE_MAX, "nobody.partner.example=%s", nobody);
}

int main(void)
{
    static struct stories stories;
    static const struct plan plan = {
        .policies = "*\t*\n",
        .options = { "--client-cert", values[0], "--client-cert", values[1], "--client-cert",
                     values[2], "--client-cert", values[3], "--pin", values[4], "--pin", values[5],
                     "--pin", values[6], "--pin", values[7] },
    };

    folder = folder_new();
    write_files();
    write_values();
    STORIES_ADD(&stories, knowns, shows_its_own);
    STORIES_ADD(&stories, unknowns, is_not_known);
    STORIES_ADD(&stories, pinneds, is_pinned);
    STORIES_ADD(&stories, findings, is_found);
    STORIES_ADD(&stories, singles, single_run);
    int failed = flow_run("tls_client", &stories, &world, &plan);
    folder_free(folder);
    return failed;
}
