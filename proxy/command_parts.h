/* proxy/command_parts.h - what the commands that judge without a socket share. */
#ifndef PROXY_COMMAND_PARTS_H
#define PROXY_COMMAND_PARTS_H

#include "config/settings.h"
#include "policy/policy.h"

struct json_t;

/* Takes --json, which is no setting, out of the arguments. True if it stood there. */
bool command_take_json(int *argc, char **argv);

/* The same for an option with a value: "--name VALUE" or "--name=VALUE"; `name` has its dashes. NULL if
 * it is not there. Without a value, or there twice, it is a fatal finding. */
const char *command_take_value(int *argc, char **argv, const char *name, struct diags *diags);

/* What destination_of() must know, from the settings. Borrows them; fini is due. */
struct command_rules {
    struct destination_rules rules;
    uint16_t *ports;
};

void command_rules_init(struct command_rules *out, const struct settings *settings);
void command_rules_fini(struct command_rules *rules);

/* Where METHOD URL goes. A path alone is a request to the sidecar itself, which goes to
 * --default-host. `*why` is set unless the result is DESTINATION_OK. */
enum destination_result command_destination(const struct destination_rules *rules,
                                            struct text method, struct text url,
                                            struct destination *out, const char **why);

const char *command_verdict_name(enum verdict_kind kind); /* "allow" */

/* Any bytes as a JSON string: what is not UTF-8 in a printable form. null for text that is not
 * there. */
struct json_t *command_json_text(struct text value);
/* {"file", "line", "column"} */
struct json_t *command_json_place(struct place place);
/* A finding's `where` taken apart: "manifest.json:12:7" is file, line and column again; "--listen" is a
 * file without them. The place borrows `file`. */
struct place command_place_of(const char *where, char file[DIAG_WHERE_MAX]);
struct json_t *command_json_where(const char *where);
/* One line; takes `value`. */
void command_print_json(struct json_t *value);

#endif
