/* proxy/limits.h - every ceiling on one page, each with its reason.
 *
 * Times that an operator may want to change are settings (config/settings.c); what stands here is
 * what keeps the process small and the parsers finite whatever anybody sends. */
#ifndef PROXY_LIMITS_H
#define PROXY_LIMITS_H

enum {
    /* Heads. 64 KiB covers a VTEX cookie jar with several JWTs; the real clients stay under 16 KiB.
     */
    LIMIT_HEAD_BYTES = 64 * 1024,
    LIMIT_TARGET_BYTES = 16 * 1024, /* a request line of 15 kB is known from real clients */
    LIMIT_HEADERS = 128,
    LIMIT_CONNECTION_OPTIONS = 32, /* each is looked for among the headers */
    LIMIT_LEADING_EMPTY_LINES =
        4, /* RFC 9112, 2.2: at least one before a request line is skipped */

    /* Chunked coding: a size line with extensions, and a whole trailer section, which we drop. */
    LIMIT_CHUNK_LINE_BYTES = 4096,
    LIMIT_TRAILER_BYTES = 16 * 1024,
    /* 2^60: far above any body, far below a wrap of uint64_t. */
    LIMIT_LENGTH_DIGITS = 18,

    /* One buffer a direction and exchange: a TLS record is 16 KiB, more only waits in memory. */
    RELAY_BUFFER_BYTES = 16 * 1024,
    /* Rooms of that size and exchanges that are kept, unused, for the next: what a turn of the loop needs
     * at once. At most 800 KiB. */
    LIMIT_SPARE_ROOMS = 32,
    LIMIT_SPARE_EXCHANGES = 64,
    /* What one exchange may move in one turn of the loop before the others get theirs. */
    RELAY_TURN_BYTES = 256 * 1024,

    /* A request that may have to be sent again is kept up to here: those that carry our token (the
     * origin may refuse it) or are idempotent (a kept connection may be dead). */
    LIMIT_KEPT_REQUEST_BYTES = 64 * 1024,

    /* Interim responses before the final one. Browsers and origins use one or two. */
    LIMIT_INTERIM_RESPONSES = 32,

    /* A refused request's body is read away up to this size to keep the connection; a larger one
     * costs less as a new connection. */
    LIMIT_DRAIN_BYTES = 64 * 1024,
    /* After our last answer we read away what the client is still sending, so that our answer is not
     * lost to a reset (RFC 9112, 9.6), but only so long. */
    LINGER_MS = 2000,

    LIMIT_POOL_HOSTS = 1024, /* hosts with kept connections or a TLS session */
    LIMIT_POOL_IDLE_PER_HOST = 256,
    LIMIT_POOL_IDLE = 4096,  /* of all hosts; fewer where descriptors are few */
    WARM_LATELY_MS = 600000, /* --warm: a host to which no request went for longer is left alone */
    WARM_AGE_MS = 1000,      /* a kept connection that is closed sooner is not opened ahead again */
    LIMIT_TOKEN_BYTES = 16 * 1024,                       /* a VTEX app token is about 1 KiB */
    LIMIT_TOKEN_OUTPUT_BYTES = LIMIT_TOKEN_BYTES + 1024, /* of a program: JSON around a token */
    LIMIT_TOKEN_ERROR_BYTES = 1024,  /* of what it says when it fails: enough for a log line */
    LIMIT_SESSION_BYTES = 64 * 1024, /* a toolbelt's file: a token for each account */
    PROGRAM_GRACE_MS = 1000,         /* from killing a program to calling it stuck */
    PROGRAM_POLL_MS = 20,            /* looking for its end where there are no pidfds */
    LIMIT_SECRET_BYTES = 1024, /* half of a key pair, with its line end; VTEX's stay under 300 */
    LIMIT_LOGIN_BYTES = LIMIT_TOKEN_BYTES + 4096, /* what a login answers: JSON around a token */
    CONNECT_ATTEMPT_MS = 300, /* one address that does not answer, while others are left to try */
    LIMIT_ADDRESSES = 16,     /* of one name: the rest is not tried */

    /* Circuits (proxy/origin/circuit.h). A restart of an origin takes about a second; 30 s is what a person
     * is ready to wait for after a repair. */
    CIRCUIT_OPEN_MS = 1000, /* the first time; it doubles with each probe that fails */
    CIRCUIT_OPEN_MAX_MS = 30000,
    CIRCUIT_WINDOW_MS =
        30000,             /* a failure that comes later after the one before begins a new row */
    LIMIT_CIRCUITS = 1024, /* hosts at addresses that fail */

    /* The admin listener: libevhtp limits one header to 8 KiB and nothing else. */
    LIMIT_ADMIN_CONNECTIONS = 64,
    LIMIT_ADMIN_HEADERS = 64,
    LIMIT_ADMIN_BODY_BYTES = 4096,

    LIMIT_DETAIL_BYTES = 400, /* why an origin failed: a sentence with names of its certificate */
    LIMIT_LOG_LINE_BYTES = 4096,
    LOG_BUFFER_BYTES = 64 * 1024,
    ACCESS_PREFIX_BYTES = 1024, /* what a log collector may put before a line that is read back */
    /* Different requests of one replay that are kept to be told once: at most some 90 MiB. */
    LIMIT_REPLAY_REQUESTS = 100000,
    LIMIT_REPLAY_BYTES = 64 * 1024 * 1024,

    LISTEN_BACKLOG = 4096, /* the real clients open hundreds of sockets at once */
    ACCEPT_PER_TURN = 64,
    ACCEPT_PAUSE_MS = 100, /* out of descriptors: wait for one to come back */
    WATCH_POLL_MS = 10000, /* slow look at watched files, for what inotify cannot see */
    WATCH_HURRY_MS = 30,   /* after a look at a file that somebody is still writing */
    WATCH_HURRIES = 10,
    WATCH_GATHER_MS = 100, /* a folder's files often change together: one look for all of them */
    LIMIT_WATCH_FOLDERS =
        1024,               /* folders of apps below --provider-policies; the poll sees the rest */
    LIMIT_WATCH_SPOTS = 16, /* links on the way to a watched file, and the file itself */
};

#endif
