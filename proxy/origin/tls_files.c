/* Did anything change that a reload would read? Most SIGHUPs are about something else, and kept
 * connections are worth keeping. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/origin/tls_parts.h"

enum { PIECE = 16 * 1024 };

/* What cannot be read counts by the reason. */
static void add_file(EVP_MD_CTX *digest, const char *path)
{
    unsigned char bytes[PIECE];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = 0;

    EVP_DigestUpdate(digest, path, strlen(path) + 1);
    while (fd >= 0 && (n = read(fd, bytes, sizeof(bytes))) > 0)
        EVP_DigestUpdate(digest, bytes, (size_t)n);
    int error = fd < 0 || n < 0 ? errno : 0;
    EVP_DigestUpdate(digest, &error, sizeof(error));
    OPENSSL_cleanse(bytes, sizeof(bytes));
    if (fd >= 0)
        close(fd);
}

/* A folder of certificates is looked into when one is needed; what is added or replaced there moves
 * its own time. */
static void add_folder(EVP_MD_CTX *digest, const char *path)
{
    struct stat status = { 0 };

    if (stat(path, &status) != 0)
        return;
    EVP_DigestUpdate(digest, &status.st_ino, sizeof(status.st_ino));
    EVP_DigestUpdate(digest, &status.st_mtim, sizeof(status.st_mtim));
}

static const char *either(const char *variable, const char *otherwise)
{
    const char *value = getenv(variable);

    return value ? value : otherwise;
}

void tls_fingerprint(const struct settings *settings, uint8_t out[TLS_FINGERPRINT_BYTES])
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();

    if (!digest || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1)
        abort();
    add_file(digest, either(X509_get_default_cert_file_env(), X509_get_default_cert_file()));
    add_folder(digest, either(X509_get_default_cert_dir_env(), X509_get_default_cert_dir()));
    if (settings->ca_file)
        add_file(digest, settings->ca_file);
    for (size_t i = 0; i < settings->n_client_certs; i++) {
        add_file(digest, settings->client_certs[i].certificate);
        add_file(digest, settings->client_certs[i].key);
    }
    EVP_DigestFinal_ex(digest, out, NULL);
    EVP_MD_CTX_free(digest);
}
