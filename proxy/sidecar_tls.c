#include "proxy/sidecar_tls.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/log.h"
#include "proxy/sidecar_findings.h"
#include "proxy/watch.h"

struct tls_watch {
    struct tls *tls;
    const struct settings *settings;
    struct log *log;
    struct watch *watches[TLS_WATCHES_MAX];
    const char *paths[TLS_WATCHES_MAX];
    size_t n;
    void (*changed)(void *context);
    void *context;
};

static enum tls_reloaded reload(struct tls_watch *watch, bool news_only)
{
    struct diags diags = { 0 };
    enum tls_reloaded result = tls_reload(watch->tls, watch->settings, news_only, &diags);

    findings_log(watch->log, &diags, 0);
    if (result == TLS_CHANGED) {
        watch->changed(watch->context);
        log_message(watch->log, LOG_INFO, "tls_reloaded", "trust and certificates were read again");
    } else if (result == TLS_KEPT) {
        log_message(watch->log, LOG_ERROR, "tls_reload_failed",
                    "the trust and the certificates of before stay in force");
    }
    diags_fini(&diags);
    return result;
}

void tls_watch_look(struct tls_watch *watch)
{
    reload(watch, false);
}

static bool is_being_written(const struct tls_watch *watch)
{
    const char *why = "";

    for (size_t i = 0; i < watch->n && why != WATCH_BEING_WRITTEN; i++) {
        int fd = watch_open(watch->paths[i], &why);
        if (fd >= 0)
            close(fd);
    }
    return why == WATCH_BEING_WRITTEN;
}

/* A certificate comes before its key, or the other way round: between the two they do not belong together, so what
 * is refused is looked at again soon. */
static bool look(void *context)
{
    struct tls_watch *watch = context;

    return !is_being_written(watch) && reload(watch, true) != TLS_KEPT;
}

static void follow(struct tls_watch *watch, struct loop *loop, const char *path)
{
    for (size_t i = 0; i < watch->n; i++) {
        if (strcmp(watch->paths[i], path) == 0)
            return;
    }
    if (watch->n == TLS_WATCHES_MAX)
        return;
    watch->paths[watch->n] = path;
    watch->watches[watch->n++] = watch_new(loop, path, look, watch);
}

struct tls_watch *tls_watch_new(struct tls *tls, const struct settings *settings, struct loop *loop,
                                struct log *log, void (*changed)(void *context), void *context)
{
    struct tls_watch *watch = mem_alloc(1, sizeof(*watch));

    *watch = (struct tls_watch){
        .tls = tls, .settings = settings, .log = log, .changed = changed, .context = context
    };
    if (settings->ca_file)
        follow(watch, loop, settings->ca_file);
    for (size_t i = 0; i < settings->n_client_certs; i++) {
        follow(watch, loop, settings->client_certs[i].certificate);
        follow(watch, loop, settings->client_certs[i].key);
    }
    return watch;
}

void tls_watch_free(struct tls_watch *watch)
{
    if (!watch)
        return;
    for (size_t i = 0; i < watch->n; i++)
        watch_free(watch->watches[i]);
    free(watch);
}
