/* config/settings_rows.h - the one table of settings. Private to config/settings*.c and their test.
 *
 * A row is all there is to know about a setting: adding one means a field in struct settings and a
 * row in settings_rows.c, nothing else. */
#ifndef CONFIG_SETTINGS_ROWS_H
#define CONFIG_SETTINGS_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/text.h"

enum settings_kind {
    KIND_TEXT,        /* char *: any text that is not empty */
    KIND_NAME,        /* char *: account, workspace, region */
    KIND_PLACEHOLDER, /* char *: may stand in a header and in a cookie */
    KIND_HOST,        /* char *: host, templates filled in */
    KIND_HOSTS,       /* struct strings of hosts */
    KIND_MILLIS,      /* unsigned: 1 ms and more */
    KIND_WAIT,        /* unsigned: 0 ms is fine too */
    KIND_SIZE,        /* uint64_t: bytes, one and more */
    KIND_COUNT,       /* unsigned: a number in the settings file too */
    KIND_THREADS,     /* unsigned: the same, from 1, or `auto`, which is 0 */
    KIND_FLAG,        /* bool: the flag makes it true */
    KIND_OFF_FLAG,    /* bool: the flag makes it false */
    KIND_CHOICE,      /* an enum: index into `choices` */
    KIND_CHOICES,     /* unsigned: a bit for each of `choices` that is named */
    KIND_ADDRESS,     /* struct listen_address */
    KIND_ADDRESSES,
    KIND_CIDRS,
    KIND_SERVERS, /* struct sockaddr_storage, a list */
    KIND_IDS,     /* struct ids */
    KIND_CONNECT_TOS,
    KIND_CLIENT_CERTS,
    KIND_PINS,
    KIND_WORDS,      /* struct strings: parted by blanks, an array in the file keeps each whole */
    KIND_NAMES,      /* struct strings: some of `choices`, in the order given */
    KIND_LOG_TARGET, /* struct log_target */
    KIND_SECRET,     /* char *: from the environment alone, never shown */
    N_SETTINGS_KINDS,
};

enum settings_group {
    GROUP_APP,
    GROUP_GRAPHQL,
    GROUP_LISTEN,
    GROUP_IDENTITY,
    GROUP_ORIGIN,
    GROUP_TIME,
    GROUP_LIMIT,
    GROUP_LOG,
    GROUP_PROCESS
};
enum { N_SETTINGS_GROUPS = GROUP_PROCESS + 1 };

struct settings_row {
    const char *flag;     /* "--token-file"; the settings file has it without the dashes */
    const char *variable; /* "JANUS_TOKEN_FILE" */
    bool live;            /* a reload changes it (settings_change.h) */
    enum settings_kind kind;
    enum settings_group group;
    size_t field, count;        /* offsets in struct settings; `count` only for lists */
    const char *const *choices; /* ends with NULL */
    const char *value;          /* what --help calls the value: "FILE"; NULL for a flag */
    const char *standard;       /* the default, lists comma-separated; NULL when there is none */
    const char *help;
};

enum { SETTINGS_MAX_ROWS = 120 };

extern const struct settings_row settings_rows[];
extern const size_t settings_n_rows;
extern const char *const settings_groups[N_SETTINGS_GROUPS];

/* "token-file" */
const char *settings_key(const struct settings_row *row);
bool settings_is_list(const struct settings_row *row);
bool settings_is_flag(const struct settings_row *row);

/* NULL when there is no such row. */
const struct settings_row *settings_row_of_key(struct text key);
const struct settings_row *settings_row_of_variable(struct text variable);
/* The row whose key a person most likely meant, or NULL when none is near. */
const struct settings_row *settings_row_near(struct text key);

#endif
