#include "proxy/caller.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/log.h"
#include "proxy/socket_unix.h"
#include "proxy/watch.h"

enum { SECRET_MIN = 16, SECRET_MAX = 1024, GROUPS_MAX = 256, DIGEST_BYTES = CALLER_DIGEST_BYTES };

struct callers {
    const struct settings *settings;
    struct log *log;
    struct watch *watch;
    struct caller_secret secret;    /* in force */
    void (*changed)(void *context); /* NULL: nobody follows */
    void *follower;
};

/* ---- the secret ---- */

static bool digest_of(struct text secret, unsigned char out[DIGEST_BYTES])
{
    unsigned len = DIGEST_BYTES;

    return EVP_Digest(secret.at, secret.len, out, &len, EVP_sha256(), NULL) == 1;
}

static const char *fault_of(struct text secret)
{
    if (secret.len < SECRET_MIN || secret.len > SECRET_MAX)
        return "the secret must have 16 to 1024 bytes";
    if (!text_is_visible(secret))
        return "the secret must be visible ASCII without blanks, because it stands in a header";
    return NULL;
}

/* NULL, or why not. */
static const char *read_digest(const char *path, unsigned char out[DIGEST_BYTES])
{
    char bytes[SECRET_MAX + 3];
    const char *why;
    int fd = watch_open(path, &why);

    if (fd < 0)
        return why;
    ssize_t n = read(fd, bytes, sizeof(bytes));
    close(fd);
    struct text secret = text_trim_lines((struct text){ bytes, n > 0 ? (size_t)n : 0 });
    why = n < 0 ? "it cannot be read" : fault_of(secret);
    if (!why && !digest_of(secret, out))
        why = "no digest could be made";
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return why;
}

static bool look(void *context)
{
    struct callers *callers = context;
    unsigned char digest[DIGEST_BYTES];
    const char *why = read_digest(callers->settings->caller_secret_file, digest);

    if (why) {
        log_message(callers->log, LOG_WARNING, "caller_secret", "%s: %s; %s",
                    callers->settings->caller_secret_file, why,
                    callers->secret.known ? "the secret of before stays in force"
                                          : "nobody is known yet");
        return false;
    }
    if (callers->secret.known && CRYPTO_memcmp(digest, callers->secret.digest, DIGEST_BYTES) == 0)
        return true;
    memcpy(callers->secret.digest, digest, DIGEST_BYTES);
    callers->secret.known = true;
    if (callers->changed)
        callers->changed(callers->follower);
    log_message(callers->log, LOG_INFO, "caller_secret", "the secret of callers is in force");
    return true;
}

bool callers_know(const struct callers *callers, struct text secret)
{
    unsigned char digest[DIGEST_BYTES];

    if (!callers->settings->caller_secret_file)
        return true;
    return callers->secret.known && secret.len && digest_of(secret, digest) &&
           CRYPTO_memcmp(digest, callers->secret.digest, DIGEST_BYTES) == 0;
}

/* ---- users of this machine ---- */

static bool holds(const struct ids *ids, unsigned id)
{
    for (size_t i = 0; i < ids->n; i++) {
        if (ids->items[i] == id)
            return true;
    }
    return false;
}

static bool group_is_allowed(const struct ids *allowed, int fd, gid_t gid)
{
    gid_t groups[GROUPS_MAX];
    socklen_t len = sizeof(groups);

    if (!allowed->n || holds(allowed, gid))
        return allowed->n;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) != 0)
        return false;
    for (size_t i = 0; i < len / sizeof(groups[0]); i++) {
        if (holds(allowed, groups[i]))
            return true;
    }
    return false;
}

bool callers_admit(const struct callers *callers, int fd)
{
    const struct settings *settings = callers->settings;
    struct unix_peer peer;

    if ((!settings->allow_uid.n && !settings->allow_gid.n) || !unix_peer_of(fd, &peer))
        return true;
    return peer.uid == 0 || peer.uid == geteuid() || holds(&settings->allow_uid, peer.uid) ||
           group_is_allowed(&settings->allow_gid, fd, peer.gid);
}

/* ---- both ---- */

void callers_check(const struct settings *settings, struct diags *diags)
{
    const char *path = settings->caller_secret_file, *why;
    struct place place = { .file = "--caller-secret-file" };
    unsigned char digest[DIGEST_BYTES];

    if (!path || !(why = read_digest(path, digest)))
        return;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        diag_warning(
            diags, place,
            "%s: there is no such file yet; it is watched, and until then every request is "
            "refused",
            path);
    else
        diag_fatal(diags, place, "%s: %s", path, why);
}

struct callers *callers_new(const struct settings *settings, struct loop *loop, struct log *log)
{
    struct callers *callers = mem_alloc(1, sizeof(*callers));
    const char *path = settings->caller_secret_file;

    callers->settings = settings;
    callers->log = log;
    if (path) {
        callers->secret.known =
            !read_digest(path, callers->secret.digest); /* before the first request */
        callers->watch = watch_new(loop, path, look, callers);
    }
    return callers;
}

struct callers *callers_share(const struct callers *callers, const struct settings *settings)
{
    struct callers *other = mem_alloc(1, sizeof(*other));

    other->settings = settings;
    other->secret = callers->secret;
    return other;
}

void callers_follow(struct callers *callers, void (*changed)(void *context), void *context)
{
    callers->changed = changed;
    callers->follower = context;
}

struct caller_secret callers_secret(const struct callers *callers)
{
    return callers->secret;
}

void callers_adopt(struct callers *callers, const struct caller_secret *secret)
{
    callers->secret = *secret;
}

void callers_free(struct callers *callers)
{
    if (!callers)
        return;
    watch_free(callers->watch);
    free(callers);
}
