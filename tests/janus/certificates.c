#include "tests/janus/certificates.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "config/memory.h"
#include "tests/janus/file.h"

enum { ISSUED_MAX = 256, NAME_MAX_BYTES = 253, DAY_S = 24 * 60 * 60, LIFE_DAYS = 30 };

struct issued {
    char name[NAME_MAX_BYTES + 1]; /* lower case; "" is the one for clients without SNI */
    X509 *certificate;
};

struct certificates {
    EVP_PKEY *ca_key, *server_key;
    X509 *ca;
    struct issued issued[ISSUED_MAX];
    size_t count, next;  /* next: to be replaced when all places are taken */
    char *default_names; /* subjectAltName of the default certificate */
};

/* One line of what can be wrong with a certificate. */
static const struct defect {
    const char *name;
    const char *san;   /* instead of the name asked for; "" leaves it out */
    const char *usage; /* instead of serverAuth */
    int from_days, to_days;
    bool self_signed;
} defects[] = {
    { "expired.badcert.test", .from_days = -20, .to_days = -10 },
    { "early.badcert.test", .from_days = 10, .to_days = 20 },
    { "wrong-name.badcert.test", .san = "DNS:other.badcert.test" },
    { "untrusted.badcert.test", .self_signed = true },
    { "cn-only.badcert.test", .san = "" },
    { "client-only.badcert.test", .usage = "clientAuth" },
};

static const struct defect *defect_of(const char *name)
{
    for (size_t i = 0; i < sizeof(defects) / sizeof(*defects); i++)
        if (strcmp(defects[i].name, name) == 0)
            return &defects[i];
    return NULL;
}

static bool extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;
    bool added;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    added = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

/* Version, serial number, subject, validity and key; no issuer, no extensions, no signature. */
static X509 *draft(EVP_PKEY *key, const char *common_name, int from_days, int to_days)
{
    X509 *certificate = X509_new();
    X509_NAME *subject = X509_get_subject_name(certificate);
    unsigned char serial[16];
    BIGNUM *number;

    RAND_bytes(serial, sizeof(serial));
    serial[0] &= 0x7f; /* serial numbers are positive */
    number = BN_bin2bn(serial, sizeof(serial), NULL);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    X509_set_version(certificate, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate), (long)from_days * DAY_S);
    X509_gmtime_adj(X509_getm_notAfter(certificate), (long)to_days * DAY_S);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1,
                               -1, 0);
    X509_set_pubkey(certificate, key);
    return certificate;
}

static X509 *finish(X509 *certificate, X509 *issuer, EVP_PKEY *key, bool extended)
{
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    if (extended && X509_sign(certificate, key, EVP_sha256()) > 0)
        return certificate;
    X509_free(certificate);
    return NULL;
}

static X509 *make_ca(EVP_PKEY *key)
{
    char name[32];
    unsigned id = 0;
    X509 *ca;

    RAND_bytes((unsigned char *)&id, sizeof(id)); /* two simulators are two authorities */
    snprintf(name, sizeof(name), "janus-sim CA %08x", id);
    ca = draft(key, name, -1, LIFE_DAYS);
    return finish(ca, ca, key,
                  extend(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                      extend(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                      extend(ca, ca, NID_subject_key_identifier, "hash"));
}

static X509 *make_server(struct certificates *c, const char *name, const char *san)
{
    static const struct defect none;
    const struct defect *defect = defect_of(name) ? defect_of(name) : &none;
    const char *common_name = defect->san && !*defect->san ? name : "janus-sim";
    const char *names = defect->san ? defect->san : san;
    X509 *own = draft(c->server_key, common_name, defect->to_days ? defect->from_days : -1,
                      defect->to_days ? defect->to_days : LIFE_DAYS - 1);
    X509 *issuer = defect->self_signed ? own : c->ca;
    bool extended =
        extend(own, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
        extend(own, issuer, NID_key_usage, "critical,digitalSignature") &&
        extend(own, issuer, NID_ext_key_usage, defect->usage ? defect->usage : "serverAuth") &&
        (!*names || extend(own, issuer, NID_subject_alt_name, names));

    return finish(own, issuer, defect->self_signed ? c->server_key : c->ca_key, extended);
}

/* SNI is the client's text: only plain names go near X509V3's little language. */
static bool plain_lower(const char *from, char out[NAME_MAX_BYTES + 1])
{
    size_t len = from ? strlen(from) : 0;

    if (len == 0 || len > NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i <= len; i++) {
        out[i] = ascii_lower(from[i]);
        if (from[i] && !strchr("abcdefghijklmnopqrstuvwxyz0123456789.-_", out[i]))
            return false;
    }
    return true;
}

static X509 *issue(struct certificates *c, const char *name)
{
    char san[NAME_MAX_BYTES + 8];
    struct issued *place = &c->issued[c->next];

    snprintf(san, sizeof(san), "DNS:%s", name);
    X509_free(place->certificate);
    snprintf(place->name, sizeof(place->name), "%s", name);
    place->certificate = make_server(c, name, *name ? san : c->default_names);
    if (c->count < ISSUED_MAX)
        c->count++;
    c->next = (c->next + 1) % ISSUED_MAX;
    return place->certificate;
}

static X509 *certificate_for(struct certificates *c, const char *sni)
{
    char name[NAME_MAX_BYTES + 1] = "";

    if (!plain_lower(sni, name))
        name[0] = '\0';
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->issued[i].name, name) == 0 && c->issued[i].certificate)
            return c->issued[i].certificate;
    return issue(c, name);
}

static int on_certificate(SSL *ssl, void *arg)
{
    struct certificates *c = arg;
    X509 *certificate = certificate_for(c, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));

    return certificate && SSL_use_certificate(ssl, certificate) == 1 &&
           SSL_use_PrivateKey(ssl, c->server_key) == 1;
}

/* Acknowledged, and so kept in the session: without this a resumed TLS 1.2 connection has no SNI.
 */
static int on_name(SSL *ssl, int *alert, void *arg)
{
    (void)ssl;
    (void)alert;
    (void)arg;
    return SSL_TLSEXT_ERR_OK;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *offered, unsigned offered_len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen = NULL;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

SSL_CTX *certificates_context(struct certificates *certificates)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    if (!context)
        return NULL;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"janus-sim", 9);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* tickets hold the state */
    SSL_CTX_set_cert_cb(context, on_certificate, certificates);
    SSL_CTX_set_tlsext_servername_callback(context, on_name);
    SSL_CTX_set_alpn_select_cb(context, on_alpn, NULL);
    return context;
}

static bool write_ca(const struct certificates *c, const char *path)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *text = NULL;
    bool written = PEM_write_bio_X509(memory, c->ca) == 1;
    long len = BIO_get_mem_data(memory, &text);

    written = written && replace_file(path, 0644, text, (size_t)len);
    BIO_free(memory);
    if (!written)
        fprintf(stderr, "janus-sim: cannot write %s: %s\n", path, strerror(errno));
    return written;
}

/* False if a --host is not a plain name. */
static bool list_default_names(struct certificates *c, const struct options *options)
{
    char name[NAME_MAX_BYTES + 1], *longer;
    char *names = text_dup(TEXT("DNS:localhost,IP:127.0.0.1,IP:::1"));

    c->default_names = names;
    for (size_t i = 0; i < options->n_hosts; i++) {
        if (!plain_lower(options->hosts[i], name)) {
            fprintf(stderr, "janus-sim: --host %s is not a host name\n", options->hosts[i]);
            return false;
        }
        if (asprintf(&longer, "%s,DNS:%s", c->default_names, name) < 0)
            abort();
        free(c->default_names);
        c->default_names = longer;
    }
    return true;
}

struct certificates *certificates_new(const struct options *options)
{
    struct certificates *c = mem_alloc(1, sizeof(*c));

    c->ca_key = EVP_EC_gen("P-256");
    c->server_key = EVP_EC_gen("P-256");
    c->ca = c->ca_key && c->server_key ? make_ca(c->ca_key) : NULL;
    if (!c->ca)
        fprintf(stderr, "janus-sim: OpenSSL makes no certificate authority\n");
    if (!c->ca || !list_default_names(c, options) || !write_ca(c, options->ca_out)) {
        certificates_free(c);
        return NULL;
    }
    return c;
}

void certificates_free(struct certificates *certificates)
{
    if (!certificates)
        return;
    for (size_t i = 0; i < certificates->count; i++)
        X509_free(certificates->issued[i].certificate);
    X509_free(certificates->ca);
    EVP_PKEY_free(certificates->ca_key);
    EVP_PKEY_free(certificates->server_key);
    free(certificates->default_names);
    free(certificates);
}
