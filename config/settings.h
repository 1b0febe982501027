/* config/settings.h - what the operator chose: flag > environment > file > default.
 *
 * One table (settings.c) names every setting once; parsing, --help, docs/settings.md and the
 * start-up log walk the same rows. The struct is filled once and never changes afterwards. */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "config/address.h"
#include "config/diag.h"
#include "config/log_target.h"
#include "config/origin_rule.h"

struct strings {
    char **items;
    size_t n;
};

/* Numbers of users or groups. */
struct ids {
    uint32_t *items;
    size_t n;
};

enum inject { INJECT_ABSENT, INJECT_PLACEHOLDER, INJECT_ALWAYS, INJECT_OFF };

enum policy_kind {
    POLICY_OUTBOUND_ACCESS = 1 << 0,
    POLICY_LICENSE = 1 << 1,
    POLICY_APP = 1 << 2,
};

enum mode { MODE_ENFORCE, MODE_REPORT };

enum scrub_mode { SCRUB_MASK, SCRUB_CUT, SCRUB_OFF };

/* Protocols that a connection may be given over to. */
enum upgrade { UPGRADE_OFF, UPGRADE_WEBSOCKET };

enum via { VIA_OFF, VIA_ON };
enum forwarded { FORWARDED_OFF, FORWARDED_STANDARD, FORWARDED_X };

/* GraphQL operations that cannot be read, on their way out. */
enum graphql_unknown { GRAPHQL_UNKNOWN_PASS, GRAPHQL_UNKNOWN_REFUSE };

/* What the process gives up before it serves; REQUIRE: or it does not start. */
enum sandbox_mode { SANDBOX_OFF, SANDBOX_ON, SANDBOX_REQUIRE };

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

enum { SETTINGS_MAX_THREADS = 64 };

enum log_format { LOG_LOGFMT, LOG_JSON };

/* A traceparent header that is missing or malformed. */
enum trace_mode { TRACE_PASS, TRACE_MAKE };

struct settings {
    /* who we stand beside */
    char *config_file; /* NULL when none was named */
    char *manifest_file;
    char *account; /* required */
    char *workspace;
    char *region;
    char *provider_policies; /* folder of policies.json of other apps; NULL when none was named */
    unsigned policy_kinds;   /* of enum policy_kind */
    bool janus_alias;        /* false after --no-janus-alias */
    bool strict;
    enum mode mode;
    char *shadow_manifest_file; /* NULL: no second policy */

    /* GraphQL */
    char *provider_schemas; /* folder of schemas of other apps; NULL: operations are not read */
    enum graphql_unknown graphql_unknown;
    struct listen_address *guard_listen; /* none: there is no guard */
    size_t n_guard_listen;
    char *guard_app;           /* "http://HOST:PORT" */
    char *graphql_schema;      /* the app's own: a file or a folder */
    unsigned guard_timeout_ms; /* of one question to VTEX ID or License Manager */

    /* who may call us, and where */
    struct listen_address *listen; /* at least one */
    size_t n_listen;
    struct listen_address admin;
    struct strings admin_hosts; /* names by which the admin listener may be called */
    bool unsafe_listen;
    struct ids allow_uid, allow_gid; /* of clients at Unix sockets; both empty: all */
    char *handover;                  /* path of a Unix socket where a successor asks; NULL: none */
    char *caller_secret_file;        /* NULL: no secret is asked for */

    /* identities */
    /* where app tokens come from; with none of them, requests where one is due end with 503 */
    char *token_file;
    struct strings token_command;      /* a program and its arguments */
    char *token_session;               /* the toolbelt's session folder */
    char *appkey, *apptoken;           /* a key pair, from the environment alone */
    char *appkey_file, *apptoken_file; /* or files that hold it */
    struct strings token_sources;      /* names, in order of preference; empty: all that are set */
    unsigned token_timeout_ms;         /* of a command or a login */
    unsigned token_lifetime_ms;        /* of a token that does not say when it expires */
    unsigned token_skew_ms;            /* a token is not sent in the last of its life */
    unsigned token_overlap_ms;         /* how long the token before still helps */
    unsigned token_retry_ms, token_retry_max_ms; /* the first and the longest step of backoff */
    char *placeholder;
    enum inject inject;
    unsigned token_wait_ms;
    struct strings janus_hosts; /* patterns, templates already filled in */
    struct strings io_hosts;
    enum scrub_mode scrub; /* the app token in what comes back */

    /* where requests go */
    char *default_host;                      /* template already filled in */
    char *ca_file;                           /* NULL: the system's trust only */
    struct client_certificate *client_certs; /* the first whose host matches */
    size_t n_client_certs;
    struct pins *pins; /* all whose host matches: one key of theirs must be in the chain */
    size_t n_pins;
    struct connect_to *connect_to;
    size_t n_connect_to;
    struct sockaddr_storage *resolver; /* name servers; none: those of the system */
    size_t n_resolver;
    struct cidr *allow_address;
    size_t n_allow_address;
    struct strings plaintext_hosts;
    enum upgrade upgrade;
    enum via via;
    enum forwarded forwarded;

    /* how long things may take */
    unsigned connect_ms;             /* DNS, TCP and TLS together */
    unsigned dns_ms, tcp_ms, tls_ms; /* parts of that; 0: no limit of their own */
    unsigned response_ms;            /* from the end of the request to the response's head */
    unsigned idle_ms;                /* a client or origin that neither sends nor takes bytes */
    unsigned client_idle_ms;         /* a kept-alive client between two requests */
    unsigned head_ms;                /* from a request's first byte to the end of its head */
    unsigned pool_idle_ms;           /* a kept-alive origin connection without work */
    unsigned drain_delay_ms;         /* from SIGTERM to the end of accepting */
    unsigned drain_ms;               /* from SIGTERM to giving up on exchanges in flight */
    unsigned total_ms;        /* from a request's head to the end of its exchange; 0: no limit */
    unsigned pool_max_age_ms; /* an origin's connection, kept or not; 0: no limit */

    /* how much there may be; 0: no limit */
    uint64_t max_body_bytes;    /* of a request */
    uint64_t max_buffers_bytes; /* of all exchanges and clients together */
    unsigned max_requests, max_clients;
    unsigned warm;             /* connections kept ready for a host in use; each thread's */
    unsigned threads;          /* that serve; 0: as many as processors that we may use */
    unsigned circuit_failures; /* in a row, until an address is left alone for a while; 0: never */

    struct log_target log;
    enum log_level log_level;
    enum log_format log_format;
    enum trace_mode trace;
    enum sandbox_mode sandbox;
    unsigned exit_with; /* a process; 0: none */

    char **shown; /* one text a row, for settings_each(); private */
};

/* Reads `argv[1..]` (flags and positional words), the JANUS_* environment, and the settings file.
 * Words that are not options are left in `words` (the caller frees words->items, not the strings);
 * with words == NULL a word is a finding. Every finding goes into `diags`, none ends the reading;
 * the result is usable only if diags->fatal is 0. The caller frees it either way, `--` ends the
 * options. "-" is a word. An empty variable counts as not set. A list given at a higher level
 * replaces the lower one. */
struct settings *settings_load(int argc, char **argv, struct strings *words, struct diags *diags);
void settings_free(struct settings *settings);

/* The rows, for people: --help's option list. */
void settings_print_help(FILE *out);
/* The rows as a Markdown table: docs/settings.md is made by this, and a test compares them. */
void settings_print_markdown(FILE *out);
/* The rows as a manual page, whole: docs/janus-sidecar.1, compared in the same way. */
void settings_print_man(FILE *out);
/* Calls back once a row with its effective value as text (lists joined by ","), for the log.
 * A secret is shown as "(set)". */
void settings_each(const struct settings *settings,
                   void (*visit)(void *context, const char *name, const char *value),
                   void *context);

#endif
