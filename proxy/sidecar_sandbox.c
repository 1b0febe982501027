#include "proxy/sidecar_sandbox.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "config/memory.h"
#include "policy/address_class.h"
#include "proxy/log.h"
#include "proxy/origin/origin.h"
#include "proxy/sidecar_guard.h"
#include "proxy/socket.h"
#include "proxy/token/source_command.h"

/* ---- the helper ---- */

/* The helper's own copy: it is forked while these stand on the caller's stack. */
struct places {
    struct origin_context origins;
    struct origin_context anywhere; /* but our own listeners */
    struct settings anything;       /* of `anywhere` */
    struct cidr everywhere[2];
    bool guarded;
    struct destination app; /* of the guard */
};

/* For answers of name servers that were cut. UDP reaches any of them anyway. */
static bool is_name_server(const struct settings *settings, const struct sockaddr *address)
{
    enum { DNS_PORT = 53 };

    for (size_t i = 0; i < settings->n_resolver; i++) {
        const struct sockaddr *server = (const struct sockaddr *)&settings->resolver[i];
        if (address_port(server) == address_port(address) && address_same_host(server, address))
            return true;
    }
    return !settings->n_resolver && address_port(address) == DNS_PORT;
}

/* Its address if it was given as one; a name may lead anywhere, and so only the port is looked at. */
static bool is_app(const struct places *places, const struct sockaddr *address)
{
    struct sockaddr_storage app;

    if (!places->guarded || address_port(address) != places->app.port)
        return false;
    return !address_of_literal(places->app.host, &app) ||
           address_same_host((const struct sockaddr *)&app, address);
}

static bool may_connect(const void *context, const struct sockaddr *address)
{
    const struct places *places = context;

    return origin_may_connect(&places->origins, address) ||
           ((is_name_server(places->origins.settings, address) || is_app(places, address)) &&
            origin_may_connect(&places->anywhere, address));
}

static void find_places(struct places *places, const struct settings *settings,
                        const struct sockaddr_storage *own, size_t n_own)
{
    *places = (struct places){
        .origins = { .settings = settings, .own = own, .n_own = n_own },
        .anywhere = { .settings = &places->anything, .own = own, .n_own = n_own },
        .everywhere = { { .family = AF_INET }, { .family = AF_INET6 } },
        .anything = { .allow_address = places->everywhere, .n_allow_address = 2 },
    };
    places->guarded = guard_app(settings, &places->app);
}

struct helper *sidecar_helper_new(const struct settings *settings,
                                  const struct sockaddr_storage *own, size_t n_own,
                                  struct diags *diags)
{
    struct places places;
    struct helper_rules rules = { .may_connect = may_connect, .context = &places };
    const struct strings *words = &settings->token_command;
    char **environment = NULL, **argv = NULL;

    if (settings->sandbox == SANDBOX_OFF)
        return NULL;
    find_places(&places, settings, own, n_own);
    if (words->n) {
        environment = source_command_environment(settings->account, settings->workspace);
        argv = mem_alloc(words->n + 1, sizeof(*argv));
        memcpy(argv, words->items, words->n * sizeof(*argv));
        rules.argv = argv;
        rules.environment = environment;
    }
    struct helper *helper = helper_new(&rules);
    if (!helper)
        diag_fatal(diags, (struct place){ .file = "--sandbox" },
                   "the process that connects for us cannot be started: %s; off does without",
                   strerror(errno));
    for (size_t i = 0; environment && environment[i]; i++)
        free(environment[i]);
    free(environment);
    free(argv);
    return helper;
}

/* ---- rights ---- */

/* Read again when it changes: the folder must be open to us. */
static void read_file(struct sandbox *sandbox, struct log *log, const char *path)
{
    if (path && !sandbox_read_file(sandbox, path))
        log_message(log, LOG_WARNING, "sandbox",
                    "%s: what takes its place later cannot be read before a restart: it stands in "
                    "the root folder, or its folder is not there",
                    path);
}

static void read_folder(struct sandbox *sandbox, struct log *log, const char *path)
{
    if (!path)
        return;
    sandbox_read_folder(sandbox, path);
    read_file(sandbox, log, path); /* it may be replaced whole */
}

static void read_what_is_set(struct sandbox *sandbox, struct log *log,
                             const struct settings *settings)
{
    const char *const files[] = { settings->config_file,
                                  settings->manifest_file,
                                  settings->shadow_manifest_file,
                                  settings->token_file,
                                  settings->appkey_file,
                                  settings->apptoken_file,
                                  settings->caller_secret_file,
                                  settings->ca_file,
                                  getenv(X509_get_default_cert_file_env()) };

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        read_file(sandbox, log, files[i]);
    for (size_t i = 0; i < settings->n_client_certs; i++) {
        read_file(sandbox, log, settings->client_certs[i].certificate);
        read_file(sandbox, log, settings->client_certs[i].key);
    }
    read_folder(sandbox, log, settings->provider_policies);
    read_folder(sandbox, log, settings->provider_schemas);
    read_folder(sandbox, log, settings->graphql_schema);
    read_folder(sandbox, log, settings->token_session);
    read_folder(sandbox, log, getenv(X509_get_default_cert_dir_env()));
}

/* The system's trust, which OpenSSL looks into when it needs a certificate; names, whose files are replaced whole;
 * ourselves, for /metrics. */
static void read_what_is_usual(struct sandbox *sandbox)
{
    static const char *const usual[] = { "/etc/ssl/certs",
                                         "/etc/ssl/cert.pem",
                                         "/etc/pki",
                                         "/etc/ca-certificates",
                                         "/usr/share/ca-certificates",
                                         "/usr/local/share/ca-certificates",
                                         "/run/systemd/resolve",
                                         "/run/NetworkManager",
                                         "/run/resolvconf",
                                         "/proc/self",
                                         "/dev/null",
                                         "/dev/urandom" };

    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        sandbox_read_folder(sandbox, usual[i]);
    sandbox_read_file(sandbox, "/etc/hosts");
    sandbox_read_file(sandbox, "/etc/resolv.conf");
    sandbox_read_folder(sandbox, X509_get_default_cert_dir());
    sandbox_read_folder(sandbox, X509_get_default_cert_file());
}

/* The files of our Unix sockets go with us. */
static void remove_sockets(struct sandbox *sandbox, const struct listen_address *address)
{
    const struct sockaddr_un *at = (const struct sockaddr_un *)(const void *)&address->socket;
    char path[sizeof(at->sun_path) + 1];

    if (address->kind != LISTEN_UNIX)
        return;
    memcpy(path, at->sun_path, sizeof(at->sun_path));
    path[sizeof(at->sun_path)] = '\0';
    sandbox_remove_in(sandbox, dirname(path));
}

static void remove_handover(struct sandbox *sandbox, const char *path)
{
    char folder[PATH_MAX];

    snprintf(folder, sizeof(folder), "%s", path ? path : "");
    if (path)
        sandbox_remove_in(sandbox, dirname(folder));
}

static void say(struct log *log, const char *in_force, bool whole)
{
    log_begin(log, whole ? LOG_INFO : LOG_WARNING, "sandbox");
    log_text(log, "in_force", text_of(in_force));
    if (!whole)
        log_text(log, "message", TEXT("the kernel does not have all of it"));
    log_end(log);
}

bool sidecar_sandbox_enter(const struct settings *settings, pid_t app, struct log *log,
                           char out[SANDBOX_TEXT_MAX])
{
    struct sandbox *sandbox;

    snprintf(out, SANDBOX_TEXT_MAX, "off");
    if (settings->sandbox == SANDBOX_OFF) {
        say(log, out, true);
        return true;
    }
    sandbox = sandbox_new(
        (struct sandbox_needs){ .signals = app, .syslog = settings->log.kind == LOG_TO_SYSLOG });
    read_what_is_set(sandbox, log, settings);
    read_what_is_usual(sandbox);
    for (size_t i = 0; i < settings->n_listen; i++)
        remove_sockets(sandbox, &settings->listen[i]);
    for (size_t i = 0; i < settings->n_guard_listen; i++)
        remove_sockets(sandbox, &settings->guard_listen[i]);
    remove_sockets(sandbox, &settings->admin);
    remove_handover(sandbox, settings->handover);
    if (settings->log.kind == LOG_TO_FILE)
        sandbox_write_file(sandbox, settings->log.path);
    bool whole = sandbox_enter(sandbox, out);
    sandbox_free(sandbox);
    say(log, out, whole);
    return whole || settings->sandbox != SANDBOX_REQUIRE;
}
