#include "proxy/sidecar_policy.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/log.h"
#include "proxy/sidecar_findings.h"
#include "proxy/watch.h"

enum { DIGEST_BYTES = 32 };

struct live_policy {
    const struct settings *settings;
    const char *file, *role, *option;
    struct policy *policy;
    void (*changed)(void *context, struct policy *policy); /* NULL: nobody follows yet */
    void *follower;
    struct live_policy_state state;
    unsigned char seen[DIGEST_BYTES]; /* of the content last judged; zero: any content is news */
    const char *last_why;             /* the file could not be read: said once, not at every poll */
    struct log *log;
    struct watch *watch;
};

/* ---- reading ---- */

/* One byte more than allowed, so that the parser sees and says that it is too large. */
static char *read_whole(int fd, size_t *len)
{
    struct stat status;
    size_t room = MANIFEST_MAX_BYTES + 1;
    ssize_t n = 1;

    if (fstat(fd, &status) == 0 && (size_t)status.st_size < room)
        room = (size_t)status.st_size + 1;
    char *bytes = mem_alloc(room, 1);
    for (*len = 0; *len < room && n > 0; *len += n > 0 ? (size_t)n : 0)
        n = read(fd, bytes + *len, room - *len);
    if (n == 0 || room > MANIFEST_MAX_BYTES)
        return bytes;
    free(bytes); /* unreadable, or it grew meanwhile */
    return NULL;
}

/* The file's content, which the caller frees; NULL: `*why`. */
static char *read_manifest(const char *file, size_t *len, const char **why)
{
    int fd = watch_open(file, why);

    if (fd < 0)
        return NULL;
    char *bytes = read_whole(fd, len);
    *why = "it cannot be read";
    close(fd);
    return bytes;
}

/* What cannot be read is read once more by the loader, which knows how to say it. */
static struct policy *build(const struct live_policy *live, const char *bytes, size_t len,
                            struct diags *diags)
{
    size_t errors = diags->errors, fatal = diags->fatal;
    struct manifest *manifest = bytes
                                    ? manifest_parse(live->file, (struct text){ bytes, len }, diags)
                                    : manifest_load_for(live->option, live->file, diags);
    struct policy *policy = manifest ? policy_new(manifest, live->settings, diags) : NULL;

    if (policy && live->settings->strict && diags->errors > errors)
        diag_fatal(diags, (struct place){ .file = "--strict" },
                   "the manifest has policies that cannot be used, see above");
    if (diags->fatal > fatal) {
        policy_unref(policy);
        policy = NULL;
    }
    manifest_free(manifest);
    return policy;
}

static void digest_of(const char *bytes, size_t len, unsigned char out[DIGEST_BYTES])
{
    EVP_Digest(bytes, len, out, NULL, EVP_sha256(), NULL);
}

/* ---- swapping ---- */

static void log_outcome(const struct live_policy *live, bool ok)
{
    log_begin(live->log, ok ? LOG_INFO : LOG_ERROR, ok ? "reloaded" : "reload_failed");
    log_text(live->log, "policy", text_of(live->role));
    log_text(live->log, "file", text_of(live->file));
    log_number(live->log, "generation", live->state.generation);
    log_number(live->log, "rules", live->state.n_rules);
    if (!ok)
        log_text(live->log, "message", TEXT("the policy of before stays in force"));
    log_end(live->log);
}

static void put_in_force(struct live_policy *live, struct policy *policy)
{
    struct policy *old = live->policy;

    live->policy = policy;
    if (live->changed)
        live->changed(live->follower, policy);
    policy_unref(old);
    live->state.generation++;
    live->state.n_rules = policy_n_rules(policy);
    live->state.loaded_at = time(NULL);
}

/* What `told` holds already is not said again; it gets the rest. */
static void rebuild(struct live_policy *live, const char *bytes, size_t len, struct diags *told)
{
    size_t from = told->n;
    struct policy *policy = build(live, bytes, len, told);

    diags_drop_repeats(told, from);
    findings_log(live->log, told, from);
    if (policy)
        put_in_force(live, policy);
    else
        live->state.n_failures++;
    live->state.failed = !policy;
    log_outcome(live, policy != NULL);
}

/* ---- watching ---- */

static bool refuse_content(struct live_policy *live, const char *why, struct diags *told)
{
    if (live->last_why == why)
        return false;
    live->last_why = why;
    if (why == WATCH_BEING_WRITTEN) {
        log_message(live->log, LOG_INFO, "reload_waits", "%s: %s", live->file, why);
        return false;
    }
    memset(live->seen, 0, sizeof(live->seen)); /* should the old content come back, it is news */
    rebuild(live, NULL, 0, told);
    return false;
}

static bool look(struct live_policy *live, struct diags *told)
{
    unsigned char digest[DIGEST_BYTES];
    const char *why;
    size_t len;
    char *bytes = read_manifest(live->file, &len, &why);

    if (!bytes)
        return refuse_content(live, why, told);
    live->last_why = NULL;
    digest_of(bytes, len, digest);
    if (memcmp(digest, live->seen, sizeof(digest)) != 0) {
        memcpy(live->seen, digest, sizeof(digest));
        rebuild(live, bytes, len, told);
    }
    free(bytes);
    return true;
}

static bool on_look(void *context)
{
    struct diags told = { 0 };
    bool usable = look(context, &told);

    diags_fini(&told);
    return usable;
}

void live_policy_reload(struct live_policy *live, struct diags *told)
{
    memset(live->seen, 0, sizeof(live->seen));
    live->last_why = NULL;
    look(live, told);
}

/* ---- its life ---- */

/* A start does not wait for somebody who is writing: what stands there is taken, and the first look
 * takes what he leaves. */
struct live_policy *live_policy_new(const struct settings *settings, bool shadow,
                                    struct diags *diags)
{
    const char *file = shadow ? settings->shadow_manifest_file : settings->manifest_file;
    struct live_policy *live = mem_alloc(1, sizeof(*live));
    const char *why;
    size_t len = 0;

    live->settings = settings;
    live->file = file;
    live->role = shadow ? "shadow" : "manifest";
    live->option = shadow ? "--shadow-manifest" : "--manifest";
    char *bytes = read_manifest(file, &len, &why);
    struct policy *policy = build(live, bytes, len, diags);
    if (bytes)
        digest_of(bytes, len, live->seen);
    free(bytes);
    if (!policy) {
        live_policy_free(live);
        return NULL;
    }
    put_in_force(live, policy);
    return live;
}

void live_policy_follow(struct live_policy *live, struct loop *loop, struct log *log,
                        void (*changed)(void *context, struct policy *policy), void *context)
{
    live->log = log;
    live->changed = changed;
    live->follower = context;
    changed(context, live->policy);
    live->watch = watch_new(loop, live->file, on_look, live);
}

void live_policy_free(struct live_policy *live)
{
    if (!live)
        return;
    watch_free(live->watch);
    policy_unref(live->policy);
    free(live);
}

const struct policy *live_policy_current(const struct live_policy *live)
{
    return live->policy;
}

struct live_policy_state live_policy_state(const struct live_policy *live)
{
    return live->state;
}
