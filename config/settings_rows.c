#include "config/settings_rows.h"

#include "config/settings.h"

#define NAMED(name, variable) "--" name, "JANUS_" variable, false
/* A reload changes it; what is NAMED needs a restart. */
#define LIVE(name, variable) "--" name, "JANUS_" variable, true
#define FIELD(field)         offsetof(struct settings, field), 0, NULL
#define LIST(field, n_field)                                                                       \
    offsetof(struct settings, field), offsetof(struct settings, n_field), NULL
#define CHOICE(field, names) offsetof(struct settings, field), 0, names
#define ORDER(field, n_field, names)                                                               \
    offsetof(struct settings, field), offsetof(struct settings, n_field), names

static const char *const inject_names[] = {
    [INJECT_ABSENT] = "absent",
    [INJECT_PLACEHOLDER] = "placeholder",
    [INJECT_ALWAYS] = "always",
    [INJECT_OFF] = "off",
    NULL,
};

static const char *const mode_names[] = {
    [MODE_ENFORCE] = "enforce", [MODE_REPORT] = "report", NULL
};

static const char *const scrub_names[] = {
    [SCRUB_MASK] = "mask", [SCRUB_CUT] = "cut", [SCRUB_OFF] = "off", NULL
};

static const char *const upgrade_names[] = {
    [UPGRADE_OFF] = "off", [UPGRADE_WEBSOCKET] = "websocket", NULL
};

static const char *const graphql_unknown_names[] = {
    [GRAPHQL_UNKNOWN_PASS] = "pass", [GRAPHQL_UNKNOWN_REFUSE] = "refuse", NULL
};

static const char *const via_names[] = { [VIA_OFF] = "off", [VIA_ON] = "on", NULL };
static const char *const forwarded_names[] = {
    [FORWARDED_OFF] = "off", [FORWARDED_STANDARD] = "standard", [FORWARDED_X] = "x-forwarded", NULL
};

static const char *const sandbox_names[] = {
    [SANDBOX_OFF] = "off", [SANDBOX_ON] = "on", [SANDBOX_REQUIRE] = "require", NULL
};

/* in the order of enum policy_kind's bits */
static const char *const policy_kind_names[] = { "outbound-access", "license", "app", NULL };

static const char *const token_source_names[] = { "file", "command", "session", "login", NULL };

static const char *const log_level_names[] = {
    [LOG_ERROR] = "error",
    [LOG_WARNING] = "warning",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
    NULL,
};

static const char *const log_format_names[] = {
    [LOG_LOGFMT] = "logfmt", [LOG_JSON] = "json", NULL
};

static const char *const trace_names[] = { [TRACE_PASS] = "pass", [TRACE_MAKE] = "make", NULL };

#define JANUS_HOSTS                                                                                \
    "{{account}}.vtexcommercestable.com.br,{{account}}.vtexcommercebeta.com.br,"                   \
    "portal.vtexcommercestable.com.br,portal.vtexcommercebeta.com.br,"                             \
    "api.vtexcommercestable.com.br,api.vtexcommercebeta.com.br,"                                   \
    "logistics.vtexcommercestable.com.br,logistics.vtexcommercebeta.com.br,"                       \
    "api.vtex.com,{{account}}.vtexpayments.com.br,{{account}}.myvtex.com,"                         \
    "{{workspace}}--{{account}}.myvtex.com,vtexid.vtex.com.br,licensemanager.vtex.com.br"

/* clang-format off */
/* The names come first, because templates in later rows are filled in with them. */
const struct settings_row settings_rows[] = {
    { NAMED("config", "CONFIG"), KIND_TEXT, GROUP_APP, FIELD(config_file), "FILE", NULL,
      "settings file, JSON: one object with the names below, without the dashes" },
    { NAMED("account", "ACCOUNT"), KIND_NAME, GROUP_APP, FIELD(account), "NAME", NULL,
      "VTEX account the app runs in; required" },
    { NAMED("workspace", "WORKSPACE"), KIND_NAME, GROUP_APP, FIELD(workspace), "NAME", "master",
      "workspace the app runs in" },
    { NAMED("region", "REGION"), KIND_NAME, GROUP_APP, FIELD(region), "NAME", "aws-us-east-1",
      "region in resource names" },
    { NAMED("manifest", "MANIFEST"), KIND_TEXT, GROUP_APP, FIELD(manifest_file), "FILE", "manifest.json",
      "manifest of the app; its policies are the allowlist" },
    { NAMED("provider-policies", "PROVIDER_POLICIES"), KIND_TEXT, GROUP_APP, FIELD(provider_policies),
      "DIR", NULL,
      "folder with the policies.json of other apps, as VENDOR.APP.json or VENDOR.APP/policies.json" },
    { LIVE("policy-kinds", "POLICY_KINDS"), KIND_CHOICES, GROUP_APP,
      CHOICE(policy_kinds, policy_kind_names), "LIST", "outbound-access,license,app",
      "kinds of policy that open something" },
    { LIVE("no-janus-alias", "NO_JANUS_ALIAS"), KIND_OFF_FLAG, GROUP_APP, FIELD(janus_alias), NULL, "false",
      "do not take portal., api. and the account's own Janus host for one another" },
    { LIVE("strict", "STRICT"), KIND_FLAG, GROUP_APP, FIELD(strict), NULL, "false",
      "refuse to start, and to reload, while the manifest has an error" },
    { LIVE("mode", "MODE"), KIND_CHOICE, GROUP_APP, CHOICE(mode, mode_names), "MODE", "enforce",
      "enforce the policies, or report: forward what they would deny, and log, count and mark it" },
    { NAMED("shadow-manifest", "SHADOW_MANIFEST"), KIND_TEXT, GROUP_APP, FIELD(shadow_manifest_file), "FILE",
      NULL, "second manifest, judged beside the first; only differences are logged" },

    { NAMED("provider-schemas", "PROVIDER_SCHEMAS"), KIND_TEXT, GROUP_GRAPHQL, FIELD(provider_schemas), "DIR", NULL,
      "folder with the GraphQL schemas of other apps, as VENDOR.APP.graphql or VENDOR.APP/*.graphql: operations "
      "that are sent to them are read, and judged by @auth" },
    { LIVE("graphql-unknown", "GRAPHQL_UNKNOWN"), KIND_CHOICE, GROUP_GRAPHQL,
      CHOICE(graphql_unknown, graphql_unknown_names), "WHAT", "pass",
      "an operation for such an app that cannot be read: pass or refuse it" },
    { NAMED("guard-listen", "GUARD_LISTEN"), KIND_ADDRESSES, GROUP_GRAPHQL, LIST(guard_listen, n_guard_listen),
      "ADDR", NULL, "where requests for the app come in, to be judged by @auth before it gets them; any address" },
    { NAMED("guard-app", "GUARD_APP"), KIND_TEXT, GROUP_GRAPHQL, FIELD(guard_app), "URL", NULL,
      "the app that the guard stands before: http://HOST:PORT" },
    { NAMED("graphql-schema", "GRAPHQL_SCHEMA"), KIND_TEXT, GROUP_GRAPHQL, FIELD(graphql_schema), "PATH", NULL,
      "the app's own schema, a file or a folder, which the guard judges by" },
    { LIVE("guard-timeout", "GUARD_TIMEOUT"), KIND_MILLIS, GROUP_GRAPHQL, FIELD(guard_timeout_ms), "TIME", "3s",
      "how long VTEX ID, and License Manager, may take to answer the guard" },

    { NAMED("listen", "LISTEN"), KIND_ADDRESSES, GROUP_LISTEN, LIST(listen, n_listen), "ADDR",
      "127.0.0.1:8380", "where clients connect; port 0 lets the system choose; also "
      "unix:PATH[,mode=0660][,group=NAME], mode 0600 unless given, and systemd:NAME (docs/operating.md)" },
    { NAMED("admin", "ADMIN"), KIND_ADDRESS, GROUP_LISTEN, FIELD(admin), "ADDR", "127.0.0.1:8381",
      "where health and metrics are read; the same forms" },
    { LIVE("admin-host", "ADMIN_HOST"), KIND_HOSTS, GROUP_LISTEN, LIST(admin_hosts.items, admin_hosts.n), "HOST",
      NULL, "name by which the admin listener may be called, beside localhost and addresses" },
    { LIVE("allow-uid", "ALLOW_UID"), KIND_IDS, GROUP_LISTEN, LIST(allow_uid.items, allow_uid.n), "NUMBER", NULL,
      "user who may call at Unix sockets, beside root and our own; everybody who can connect when neither "
      "this nor --allow-gid is given" },
    { LIVE("allow-gid", "ALLOW_GID"), KIND_IDS, GROUP_LISTEN, LIST(allow_gid.items, allow_gid.n), "NUMBER", NULL,
      "group whose members may call at Unix sockets" },
    { NAMED("caller-secret-file", "CALLER_SECRET_FILE"), KIND_TEXT, GROUP_LISTEN, FIELD(caller_secret_file),
      "FILE", NULL, "file with a secret that every request must have in X-Janus-Caller; re-read when it changes" },
    { NAMED("handover", "HANDOVER"), KIND_TEXT, GROUP_LISTEN, FIELD(handover), "PATH", NULL,
      "Unix socket where a second sidecar with the same setting takes our listeners over, once it is ready" },
    { NAMED("unsafe-listen", "UNSAFE_LISTEN"), KIND_FLAG, GROUP_LISTEN, FIELD(unsafe_listen), NULL, "false",
      "allow addresses off loopback: whoever reaches them acts as the app" },

    { NAMED("token-file", "TOKEN_FILE"), KIND_TEXT, GROUP_IDENTITY, FIELD(token_file), "FILE", NULL,
      "file that holds the app token; re-read when it changes" },
    { NAMED("token-command", "TOKEN_COMMAND"), KIND_WORDS, GROUP_IDENTITY,
      LIST(token_command.items, token_command.n), "WORDS", NULL,
      "program that prints a token, and its arguments, run without a shell; blanks part them, a JSON array "
      "in the settings file keeps them whole" },
    { NAMED("token-session", "TOKEN_SESSION"), KIND_TEXT, GROUP_IDENTITY, FIELD(token_session), "DIR", NULL,
      "session folder of the VTEX toolbelt, ~/.vtex/session as a rule; read when it changes, never written" },
    { NAMED("appkey-file", "APPKEY_FILE"), KIND_TEXT, GROUP_IDENTITY, FIELD(appkey_file), "FILE", NULL,
      "file that holds the app key to log in with" },
    { NAMED("apptoken-file", "APPTOKEN_FILE"), KIND_TEXT, GROUP_IDENTITY, FIELD(apptoken_file), "FILE", NULL,
      "file that holds the app key's token" },
    { NAMED("appkey", "APPKEY"), KIND_SECRET, GROUP_IDENTITY, FIELD(appkey), "TEXT", NULL,
      "the app key to log in with" },
    { NAMED("apptoken", "APPTOKEN"), KIND_SECRET, GROUP_IDENTITY, FIELD(apptoken), "TEXT", NULL,
      "the app key's token" },
    { NAMED("token-sources", "TOKEN_SOURCES"), KIND_NAMES, GROUP_IDENTITY,
      ORDER(token_sources.items, token_sources.n, token_source_names), "LIST", NULL,
      "sources of tokens, the preferred one first: file, command, session, login; as set up, in this order, "
      "when not given" },
    { NAMED("token-timeout", "TOKEN_TIMEOUT"), KIND_MILLIS, GROUP_IDENTITY, FIELD(token_timeout_ms), "TIME",
      "10s", "how long a token command or a login may take" },
    { NAMED("token-lifetime", "TOKEN_LIFETIME"), KIND_MILLIS, GROUP_IDENTITY, FIELD(token_lifetime_ms), "TIME",
      "1h", "life of a token that does not say when it expires, from when its source last gave it" },
    { NAMED("token-skew", "TOKEN_SKEW"), KIND_WAIT, GROUP_IDENTITY, FIELD(token_skew_ms), "TIME", "10s",
      "end of a token's life in which it is not sent any more; a tenth of its life at most" },
    { NAMED("token-overlap", "TOKEN_OVERLAP"), KIND_WAIT, GROUP_IDENTITY, FIELD(token_overlap_ms), "TIME", "30s",
      "how long the token before the current one is tried where the current one is not known yet" },
    { NAMED("token-retry", "TOKEN_RETRY"), KIND_MILLIS, GROUP_IDENTITY, FIELD(token_retry_ms), "TIME", "1s",
      "longest pause after a source's first failure; it doubles with each further one" },
    { NAMED("token-retry-max", "TOKEN_RETRY_MAX"), KIND_MILLIS, GROUP_IDENTITY, FIELD(token_retry_max_ms),
      "TIME", "1m", "longest pause after any number of failures" },
    { LIVE("token-wait", "TOKEN_WAIT"), KIND_WAIT, GROUP_IDENTITY, FIELD(token_wait_ms), "TIME", "2s",
      "how long a request waits for a token that is being renewed" },
    { LIVE("placeholder", "PLACEHOLDER"), KIND_PLACEHOLDER, GROUP_IDENTITY, FIELD(placeholder), "TEXT",
      "janus-sidecar-placeholder", "what the app sends where the app token is due" },
    { LIVE("inject", "INJECT"), KIND_CHOICE, GROUP_IDENTITY, CHOICE(inject, inject_names), "WHEN", "absent",
      "when the app token is added: to requests without any credential, only for the placeholder, "
      "always, never" },
    { NAMED("janus-hosts", "JANUS_HOSTS"), KIND_HOSTS, GROUP_IDENTITY,
      LIST(janus_hosts.items, janus_hosts.n), "HOST", JANUS_HOSTS,
      "hosts that get the token as VtexIdclientAutCookie" },
    { NAMED("io-hosts", "IO_HOSTS"), KIND_HOSTS, GROUP_IDENTITY, LIST(io_hosts.items, io_hosts.n), "HOST",
      "app.io.vtex.com,infra.io.vtex.com,platform.io.vtex.com",
      "hosts that get the token as Authorization: Bearer" },
    { LIVE("scrub", "SCRUB"), KIND_CHOICE, GROUP_IDENTITY, CHOICE(scrub, scrub_names), "HOW", "mask",
      "an app token that comes back in a response: mask it, cut the response, or turn looking for it off" },

    { LIVE("default-host", "DEFAULT_HOST"), KIND_HOST, GROUP_ORIGIN, FIELD(default_host), "HOST",
      "{{account}}.vtexcommercestable.com.br", "destination of requests that name the sidecar itself" },
    { LIVE("ca-file", "CA_FILE"), KIND_TEXT, GROUP_ORIGIN, FIELD(ca_file), "FILE", NULL,
      "certificates, PEM, trusted beside the system's" },
    { LIVE("client-cert", "CLIENT_CERT"), KIND_CLIENT_CERTS, GROUP_ORIGIN, LIST(client_certs, n_client_certs),
      "HOST=CERT[;KEY]", NULL,
      "certificate, PEM with its chain, for origins that want to know us; its key is in the same file unless "
      "named; the first HOST that matches counts" },
    { NAMED("pin", "PIN"), KIND_PINS, GROUP_ORIGIN, LIST(pins, n_pins), "HOST=PIN[;PIN]", NULL,
      "sha256/BASE64 of public keys, one of which must be in HOST's verified chain" },
    { LIVE("connect-to", "CONNECT_TO"), KIND_CONNECT_TOS, GROUP_ORIGIN, LIST(connect_to, n_connect_to),
      "HOST:PORT:ADDR:PORT", NULL,
      "connect to ADDR:PORT for HOST:PORT, as curl does; an empty HOST or PORT is any" },
    { NAMED("resolver", "RESOLVER"), KIND_SERVERS, GROUP_ORIGIN, LIST(resolver, n_resolver), "ADDR[:PORT]", NULL,
      "name server to ask instead of those in /etc/resolv.conf; the next is asked when one does not answer" },
    { NAMED("allow-address", "ALLOW_ADDRESS"), KIND_CIDRS, GROUP_ORIGIN, LIST(allow_address, n_allow_address),
      "CIDR", NULL, "addresses that names may resolve to although they are private or loopback" },
    { LIVE("plaintext-host", "PLAINTEXT_HOST"), KIND_HOSTS, GROUP_ORIGIN,
      LIST(plaintext_hosts.items, plaintext_hosts.n), "HOST", NULL,
      "hosts that are reached without TLS" },
    { LIVE("upgrade", "UPGRADE"), KIND_CHOICE, GROUP_ORIGIN, CHOICE(upgrade, upgrade_names), "PROTOCOL", "off",
      "what a request may upgrade to: websocket, or nothing; the policy decides as about any request" },
    { LIVE("via", "VIA"), KIND_CHOICE, GROUP_ORIGIN, CHOICE(via, via_names), "WHEN", "off",
      "add `Via: 1.1 janus-sidecar` to requests and responses, as a proxy is told to; off: nothing names us" },
    { LIVE("forwarded", "FORWARDED"), KIND_CHOICE, GROUP_ORIGIN, CHOICE(forwarded, forwarded_names), "FORM", "off",
      "tell origins who asked us: `Forwarded` (RFC 7239), or `X-Forwarded-For` and `X-Forwarded-Proto`; off: nothing "
      "names the app" },

    { LIVE("connect-timeout", "CONNECT_TIMEOUT"), KIND_MILLIS, GROUP_TIME, FIELD(connect_ms), "TIME", "5s",
      "DNS, TCP and TLS together" },
    { LIVE("dns-timeout", "DNS_TIMEOUT"), KIND_WAIT, GROUP_TIME, FIELD(dns_ms), "TIME", "0s",
      "resolving a name, within --connect-timeout; 0s: no limit of its own" },
    { LIVE("tcp-timeout", "TCP_TIMEOUT"), KIND_WAIT, GROUP_TIME, FIELD(tcp_ms), "TIME", "0s",
      "reaching one of a name's addresses, within --connect-timeout; 0s: no limit of its own" },
    { LIVE("tls-timeout", "TLS_TIMEOUT"), KIND_WAIT, GROUP_TIME, FIELD(tls_ms), "TIME", "0s",
      "a TLS handshake, within --connect-timeout; 0s: no limit of its own" },
    { LIVE("response-timeout", "RESPONSE_TIMEOUT"), KIND_MILLIS, GROUP_TIME, FIELD(response_ms), "TIME", "60s",
      "from the end of a request to the head of its response" },
    { LIVE("idle-timeout", "IDLE_TIMEOUT"), KIND_MILLIS, GROUP_TIME, FIELD(idle_ms), "TIME", "60s",
      "a client or origin that neither sends nor takes bytes" },
    { LIVE("client-idle-timeout", "CLIENT_IDLE_TIMEOUT"), KIND_MILLIS, GROUP_TIME, FIELD(client_idle_ms),
      "TIME", "75s", "a client's connection between two requests" },
    { LIVE("head-timeout", "HEAD_TIMEOUT"), KIND_MILLIS, GROUP_TIME, FIELD(head_ms), "TIME", "10s",
      "from the first byte of a request to the end of its head" },
    { LIVE("pool-idle-timeout", "POOL_IDLE_TIMEOUT"), KIND_MILLIS, GROUP_TIME, FIELD(pool_idle_ms), "TIME",
      "50s", "an origin's connection without work" },
    { LIVE("drain-timeout", "DRAIN_TIMEOUT"), KIND_WAIT, GROUP_TIME, FIELD(drain_ms), "TIME", "30s",
      "from SIGTERM to giving up on requests in flight" },
    { LIVE("drain-delay", "DRAIN_DELAY"), KIND_WAIT, GROUP_TIME, FIELD(drain_delay_ms), "TIME", "0s",
      "from SIGTERM to refusing new connections: for whatever must first learn that we leave" },
    { LIVE("total-timeout", "TOTAL_TIMEOUT"), KIND_WAIT, GROUP_TIME, FIELD(total_ms), "TIME", "0s",
      "from the head of a request to the end of its response, bodies included; 0s: no limit" },
    { LIVE("pool-max-age", "POOL_MAX_AGE"), KIND_WAIT, GROUP_TIME, FIELD(pool_max_age_ms), "TIME", "5m",
      "an origin's connection that is older is not kept, so that names are resolved anew; 0s: no limit" },

    { LIVE("max-body", "MAX_BODY"), KIND_SIZE, GROUP_LIMIT, FIELD(max_body_bytes), "SIZE", NULL,
      "largest body of a request; no limit when not given" },
    { LIVE("max-buffers", "MAX_BUFFERS"), KIND_SIZE, GROUP_LIMIT, FIELD(max_buffers_bytes), "SIZE", "256MiB",
      "what the buffers of all requests and clients may hold together; beyond it new requests get 503" },
    { LIVE("max-requests", "MAX_REQUESTS"), KIND_COUNT, GROUP_LIMIT, FIELD(max_requests), "N", "10000",
      "requests in flight; beyond it new ones get 503; 0: no limit" },
    { LIVE("max-clients", "MAX_CLIENTS"), KIND_COUNT, GROUP_LIMIT, FIELD(max_clients), "N", "20000",
      "clients at once; beyond it the one idle for longest is closed; 0: as many as there are descriptors" },
    { NAMED("threads", "THREADS"), KIND_THREADS, GROUP_LIMIT, FIELD(threads), "N", "1",
      "threads that serve, each with connections of its own; auto: one for each processor that we may use" },
    { LIVE("warm", "WARM"), KIND_COUNT, GROUP_LIMIT, FIELD(warm), "N", "0",
      "connections kept ready, opened ahead, for each host that a request went to in the last 10 minutes" },
    { NAMED("circuit-failures", "CIRCUIT_FAILURES"), KIND_COUNT, GROUP_LIMIT, FIELD(circuit_failures), "N", "5",
      "failures in a row to connect to an origin's address, until it is left alone for a while; 0: never" },

    { NAMED("log", "LOG"), KIND_LOG_TARGET, GROUP_LOG, FIELD(log), "WHERE", "stderr",
      "where the log goes: stderr, syslog:[SOCKET], /dev/log unless named, or file:PATH, created with mode 0640 and "
      "opened anew by SIGHUP" },
    { NAMED("log-format", "LOG_FORMAT"), KIND_CHOICE, GROUP_LOG, CHOICE(log_format, log_format_names), "FORMAT",
      "logfmt", "a line of the log: key=value, or one JSON object" },
    { LIVE("log-level", "LOG_LEVEL"), KIND_CHOICE, GROUP_LOG, CHOICE(log_level, log_level_names), "LEVEL",
      "info", "what is logged" },
    { LIVE("trace", "TRACE"), KIND_CHOICE, GROUP_LOG, CHOICE(trace, trace_names), "WHEN", "pass",
      "a traceparent header that is missing or malformed: pass the request on as it is, or make one" },

    { NAMED("sandbox", "SANDBOX"), KIND_CHOICE, GROUP_PROCESS, CHOICE(sandbox, sandbox_names), "HOW", "on",
      "give up, after the start, what is not needed: on, as far as the kernel can; require, or do not start; off" },
    { NAMED("exit-with", "EXIT_WITH"), KIND_COUNT, GROUP_PROCESS, FIELD(exit_with), "PID", "0",
      "drain and end when this process has ended, as at SIGTERM; 0: with none. An app that we start: exec" },
};
/* clang-format on */

_Static_assert(sizeof(settings_rows) / sizeof(settings_rows[0]) <= SETTINGS_MAX_ROWS,
               "raise SETTINGS_MAX_ROWS");
const size_t settings_n_rows = sizeof(settings_rows) / sizeof(settings_rows[0]);

const char *const settings_groups[N_SETTINGS_GROUPS] = {
    [GROUP_APP] = "The app",         [GROUP_GRAPHQL] = "GraphQL",
    [GROUP_LISTEN] = "Listening",    [GROUP_IDENTITY] = "Identities",
    [GROUP_ORIGIN] = "Destinations", [GROUP_TIME] = "Times",
    [GROUP_LIMIT] = "Limits",        [GROUP_LOG] = "Log",
    [GROUP_PROCESS] = "Process",
};

const char *settings_key(const struct settings_row *row)
{
    return row->flag + strlen("--");
}

bool settings_is_list(const struct settings_row *row)
{
    switch (row->kind) {
    case KIND_HOSTS:
    case KIND_CHOICES:
    case KIND_ADDRESSES:
    case KIND_CIDRS:
    case KIND_SERVERS:
    case KIND_IDS:
    case KIND_CONNECT_TOS:
    case KIND_CLIENT_CERTS:
    case KIND_PINS:
    case KIND_WORDS:
    case KIND_NAMES:
        return true;
    default:
        return false;
    }
}

bool settings_is_flag(const struct settings_row *row)
{
    return row->kind == KIND_FLAG || row->kind == KIND_OFF_FLAG;
}

const struct settings_row *settings_row_of_key(struct text key)
{
    for (size_t i = 0; i < settings_n_rows; i++)
        if (text_eq(key, text_of(settings_key(&settings_rows[i]))))
            return &settings_rows[i];
    return NULL;
}

const struct settings_row *settings_row_of_variable(struct text variable)
{
    for (size_t i = 0; i < settings_n_rows; i++)
        if (text_eq(variable, text_of(settings_rows[i].variable)))
            return &settings_rows[i];
    return NULL;
}

enum { KEY_MAX = 40 }; /* longer than any key; what is longer is near to none */

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance; case and the kind of dash ('-', '_') do not count. */
static unsigned distance(struct text a, struct text b)
{
    unsigned row[KEY_MAX + 1];

    for (unsigned j = 0; j <= b.len; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        char c = a.at[i - 1] == '_' ? '-' : ascii_lower(a.at[i - 1]);
        unsigned diagonal = row[0];

        row[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned replaced = diagonal + (c != b.at[j - 1]);

            diagonal = row[j];
            row[j] = least(replaced, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[b.len];
}

const struct settings_row *settings_row_near(struct text key)
{
    const struct settings_row *near = NULL;
    unsigned best = key.len < 6 ? 2 : key.len < 9 ? 3 : 4; /* the first distance that is too far */

    if (key.len < 3 || key.len > KEY_MAX)
        return NULL;
    for (size_t i = 0; i < settings_n_rows; i++) {
        unsigned d = distance(key, text_of(settings_key(&settings_rows[i])));

        if (d < best) {
            best = d;
            near = &settings_rows[i];
        }
    }
    return near;
}
