#include "proxy/command_parts.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/http/syntax.h"
#include "proxy/limits.h"
#include "proxy/socket.h"

bool command_take_json(int *argc, char **argv)
{
    int kept = 0;
    bool found = false, words_only = false;

    for (int i = 0; i < *argc; i++) {
        words_only = words_only || strcmp(argv[i], "--") == 0;
        if (!words_only && strcmp(argv[i], "--json") == 0)
            found = true;
        else
            argv[kept++] = argv[i];
    }
    *argc = kept;
    return found;
}

const char *command_take_value(int *argc, char **argv, const char *name, struct diags *diags)
{
    size_t len = strlen(name);
    const char *found = NULL;
    bool words_only = false;
    int kept = 0;

    for (int i = 0; i < *argc; i++) {
        bool whole = strcmp(argv[i], name) == 0;
        const char *value = argv[i] + len + 1;

        words_only = words_only || strcmp(argv[i], "--") == 0;
        if (words_only || (!whole && (strncmp(argv[i], name, len) != 0 || argv[i][len] != '='))) {
            argv[kept++] = argv[i];
            continue;
        }
        if (whole)
            value = i + 1 < *argc ? argv[++i] : "";
        if (found || value[0] == '\0')
            diag_fatal(diags, (struct place){ .file = name },
                       found ? "is there twice; give it once" : "needs a value");
        found = value;
    }
    *argc = kept;
    return found;
}

void command_rules_init(struct command_rules *out, const struct settings *settings)
{
    out->ports = mem_alloc(settings->n_listen, sizeof(*out->ports));
    for (size_t i = 0; i < settings->n_listen; i++)
        out->ports[i] = address_port((const struct sockaddr *)&settings->listen[i].socket);
    out->rules = (struct destination_rules){
        .default_host = settings->default_host,
        .plaintext_hosts = settings->plaintext_hosts.items,
        .n_plaintext_hosts = settings->plaintext_hosts.n,
        .own_addresses = settings->listen,
        .n_own_addresses = settings->n_listen,
        .own_ports = out->ports,
        .n_own_ports = settings->n_listen,
    };
}

void command_rules_fini(struct command_rules *rules)
{
    free(rules->ports);
}

enum destination_result command_destination(const struct destination_rules *rules,
                                            struct text method, struct text url,
                                            struct destination *out, const char **why)
{
    struct destination_request request = { .method = method, .target = url };

    *why = "CONNECT and TRACE are not served";
    if (!syntax_all(method, BYTE_TCHAR)) {
        *why = "the method is not a token";
        return DESTINATION_BAD;
    }
    if (url.len > LIMIT_TARGET_BYTES) {
        *why = "the request target is longer than 16 KiB";
        return DESTINATION_BAD;
    }
    if (url.len && url.at[0] == '/')
        request.host = text_of(rules->default_host);
    return destination_of(rules, &request, out, why);
}

const char *command_verdict_name(enum verdict_kind kind)
{
    static const char *const names[] = {
        [VERDICT_ALLOW] = "allow", [VERDICT_DENY] = "deny", [VERDICT_REFUSE] = "refuse"
    };

    return names[kind];
}

json_t *command_json_text(struct text value)
{
    json_t *made;
    char *shown;

    if (!value.at)
        return json_null();
    made = json_stringn(value.at, value.len);
    if (made)
        return made;
    shown = mem_alloc(4 * value.len + 1, 1);
    made = json_string(text_printable(value, shown, 4 * value.len + 1));
    free(shown);
    return made;
}

json_t *command_json_place(struct place place)
{
    return json_pack("{s:o, s:i, s:i}", "file", command_json_text(text_of(place.file)), "line",
                     (int)place.line, "column", (int)place.column);
}

struct place command_place_of(const char *where, char file[DIAG_WHERE_MAX])
{
    const char *column = strrchr(where, ':'), *line = column;
    struct place place = { .file = file };
    unsigned long long numbers[2];

    snprintf(file, DIAG_WHERE_MAX, "%s", where);
    while (line && line > where && *--line != ':')
        continue;
    if (!line || *line != ':' ||
        !text_to_uint(text_span(line + 1, column), INT32_MAX, &numbers[0]) ||
        !text_to_uint(text_of(column + 1), INT32_MAX, &numbers[1]))
        return place;
    file[line - where] = '\0';
    place.line = (unsigned)numbers[0];
    place.column = (unsigned)numbers[1];
    return place;
}

json_t *command_json_where(const char *where)
{
    char file[DIAG_WHERE_MAX];

    return command_json_place(command_place_of(where, file));
}

void command_print_json(json_t *value)
{
    json_dumpf(value, stdout, 0);
    putchar('\n');
    json_decref(value);
}
