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
    /* What is gathered of a response before it leaves, where the origin is ahead and the client keeps up: four
     * records, one segment of the loopback. A system call for each costs a fourth of all at 64 KiB, and more at a MiB. */
    RELAY_GATHER_BYTES = 64 * 1024,
    /* Rooms of a record's size and exchanges that are kept, unused, for the next: what a turn of the loop needs
     * at once. At most 1.2 MiB. */
    LIMIT_SPARE_ROOMS = 32,
    LIMIT_SPARE_GATHERS = 4,
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

    /* Names (proxy/origin/resolve.h, race.h). The two delays are RFC 8305's, section 8. */
    RESOLUTION_DELAY_MS = 50,  /* IPv4 addresses that are there wait for the question about IPv6 */
    CONNECT_ATTEMPT_MS = 250,  /* between two attempts to connect, while the first is silent */
    FAMILY_MEMORY_MS = 600000, /* the family that connected begins next time, for ten minutes */
    LIMIT_ADDRESSES = 16, /* of one name and family: the rest is not tried for one connection */
    LIMIT_NAME_ADDRESSES = 128, /* that are remembered; public names have up to some thirty */
    LIMIT_NAMES = 1024,         /* remembered without anybody who needs them now */
    DNS_TTL_MAX_S = 3600,       /* whatever is told: a name that moved is noticed within an hour */
    DNS_NO_NAME_MAX_S = 10,     /* "there is no such name": somebody may be making it just now */
    DNS_NO_FAMILY_MAX_S = 300,  /* "no IPv6 address": nothing waits for it */
    DNS_FAILED_S = 1,           /* RFC 9520, 3.2: at least that */
    DNS_FAMILY_FAILED_S = 30,   /* one family's question failed, the other's did not */
    DNS_HOSTS_FILE_S = 5,       /* what the hosts file said */
    DNS_ASK_AGAIN_MS = 1000,    /* at least, between two questions about a name ahead of its end */
    DNS_UDP_BYTES = 1232, /* EDNS: what comes through everywhere without being cut in pieces */

    CLIENT_SEND_BYTES =
        256 * 1024, /* of a response wait in the kernel; Linux takes twice that for its own needs */

    /* Circuits (proxy/origin/circuit.h). A restart of an origin takes about a second; 30 s is what a person
     * is ready to wait for after a repair. */
    CIRCUIT_OPEN_MS = 1000, /* the first time; it doubles with each probe that fails */
    CIRCUIT_OPEN_MAX_MS = 30000,
    CIRCUIT_WINDOW_MS = 30000, /* an attempt that begins later after a failure begins a new row */
    LIMIT_CIRCUITS = 1024,     /* hosts at addresses that fail */

    /* The admin listener: libevhtp limits one header to 8 KiB and nothing else. */
    LIMIT_ADMIN_CONNECTIONS = 64,
    LIMIT_ADMIN_HEADERS = 64,
    LIMIT_ADMIN_BODY_BYTES = 4096,

    /* Metrics: destinations with numbers of their own. An app speaks to a handful; a policy with a wildcard
     * must not let it make thousands of series. */
    LIMIT_TALLY_PLACES = 64,
    LAG_PROBE_MS = 250, /* how often a busy loop looks at how late it is */

    /* The guard. VTEX's own caches keep a grant about as long; who has just been given one waits 5 s. */
    LIMIT_GRANT_YES_MS = 60 * 1000,
    LIMIT_GRANT_NO_MS = 5 * 1000,
    LIMIT_GRANTS = 10000,      /* answers that are kept: at most some 4 MiB */
    LIMIT_GRANT_FLIGHTS = 256, /* questions under way */
    LIMIT_GRANT_ANSWER_BYTES = 16 * 1024,
    LIMIT_GRAPHQL_COUNTS = 200, /* operations that are counted by name */

    LIMIT_DETAIL_BYTES = 400, /* why an origin failed: a sentence with names of its certificate */
    LIMIT_LOG_LINE_BYTES = 4096,
    LOG_BUFFER_BYTES = 64 * 1024,
    LOG_REPEATS = 10,           /* of one message in a row are said ... */
    LOG_REPEAT_MS = 10000,      /* ... within so long; the others are counted */
    LOG_REPEAT_SLOTS = 16,      /* messages that are known to repeat at one time */
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
