#include "config/settings_values.h"

#include <stdlib.h>

#include "config/memory.h"
#include "config/template.h"

enum {
    NAME_MAX_LEN = 63, /* an account is a DNS label in host names (RFC 1035, 2.3.4) */
    MILLIS_MAX = 24 * 60 * 60 * 1000,
    COUNT_MAX = 4194304, /* no process of Linux has a higher number (PID_MAX_LIMIT) */
    QUOTED = 80,
};

static const unsigned long long SIZE_BYTES_MAX = 1ULL << 40;

/* What a conversion works on. */
struct filling {
    struct settings *settings;
    const struct settings_row *row;
    struct given *given;
    struct diags *diags;
};

static void *field_of(const struct filling *filling)
{
    return (char *)filling->settings + filling->row->field;
}

static struct text first_text(const struct filling *filling)
{
    return text_of(filling->given->items[0].text);
}

static void bad_value(const struct filling *filling, const struct given_item *item,
                      const char *problem)
{
    char value[QUOTED];

    diag_fatal(filling->diags, item->place, "\"%s\": %s",
               text_printable(text_of(item->text), value, sizeof(value)), problem);
}

static void keep_text(const struct filling *filling)
{
    char **field = field_of(filling);

    *field = text_dup(first_text(filling));
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

static bool is_name(struct text name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!is_alnum(name.at[i]) && name.at[i] != '-' && name.at[i] != '_')
            return false;
    return name.len > 0 && name.len <= NAME_MAX_LEN && is_alnum(name.at[0]);
}

static void fill_name(const struct filling *filling)
{
    if (is_name(first_text(filling)))
        keep_text(filling);
    else
        bad_value(filling, &filling->given->items[0],
                  "must be 1 to 63 letters, digits, '-' or '_', a letter or digit first");
}

static void fill_placeholder(const struct filling *filling)
{
    struct text text = first_text(filling);

    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] > 0x20 && text.at[i] < 0x7f && text.at[i] != ',' && text.at[i] != ';')
            continue;
        bad_value(
            filling, &filling->given->items[0],
            "must be visible ASCII without blanks, commas and semicolons, because it stands in "
            "headers and cookies");
        return;
    }
    keep_text(filling);
}

/* An account that is missing or wrong has its own finding; a stand-in keeps the hosts from adding
 * one each. */
static struct text or_stand_in(const char *value)
{
    return value ? text_of(value) : TEXT("x");
}

static bool fill_templates(const struct filling *filling, struct given_item *item)
{
    const struct template_values values = { .account = or_stand_in(filling->settings->account),
                                            .workspace = or_stand_in(filling->settings->workspace),
                                            .region = or_stand_in(filling->settings->region) };
    struct text culprit;
    char *filled;

    if (template_fill(text_of(item->text), &values, &filled, &culprit) != TEMPLATE_OK) {
        bad_value(filling, item,
                  "only {{account}}, {{workspace}} and {{region}} are filled in here");
        return false;
    }
    free(item->text);
    item->text = filled;
    return true;
}

static bool check_host(const struct filling *filling, struct given_item *item)
{
    if (!fill_templates(filling, item))
        return false;
    for (const char *c = item->text; *c; c++) {
        if ((unsigned char)*c > 0x20 && *c != 0x7f && !strchr("/@?#\\", *c))
            continue;
        bad_value(filling, item, "must be a host alone, without scheme, path and blanks");
        return false;
    }
    return true;
}

static void fill_host(const struct filling *filling)
{
    if (check_host(filling, &filling->given->items[0]))
        keep_text(filling);
}

static void fill_hosts(const struct filling *filling)
{
    struct strings *hosts = field_of(filling);

    hosts->items = mem_alloc(filling->given->n, sizeof(*hosts->items));
    for (size_t i = 0; i < filling->given->n; i++)
        if (check_host(filling, &filling->given->items[i]))
            hosts->items[hosts->n++] = text_dup(text_of(filling->given->items[i].text));
}

static bool parse_millis(struct text text, unsigned long long *out)
{
    static const struct {
        struct text unit;
        unsigned ms;
    } units[] = {
        { { "ms", 2 }, 1 },
        { { "s", 1 }, 1000 },
        { { "m", 1 }, 60 * 1000 },
        { { "h", 1 }, 60 * 60 * 1000 },
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        struct text number = { text.at, text.len - units[i].unit.len };

        if (text_ends(text, units[i].unit) && text_to_uint(number, MILLIS_MAX / units[i].ms, out)) {
            *out *= units[i].ms;
            return true;
        }
    }
    return false;
}

static void fill_millis(const struct filling *filling)
{
    unsigned *field = field_of(filling);
    unsigned long long value, ignored;

    if (text_to_uint(first_text(filling), ~0ULL, &ignored))
        bad_value(filling, &filling->given->items[0], "a unit is missing: ms, s, m or h");
    else if (!parse_millis(first_text(filling), &value))
        bad_value(filling, &filling->given->items[0],
                  "must be a whole number with a unit, 24h at most, such as 300ms, 3s, 1m, 1h");
    else if (value == 0 && filling->row->kind == KIND_MILLIS)
        bad_value(filling, &filling->given->items[0], "must be 1ms or more");
    else
        *field = (unsigned)value;
}

/* Powers of two alone, so that nobody has to wonder which kB is meant. */
static bool parse_size(struct text text, unsigned long long *out)
{
    static const struct {
        struct text unit;
        unsigned shift;
    } units[] = {
        { { "KiB", 3 }, 10 },
        { { "MiB", 3 }, 20 },
        { { "GiB", 3 }, 30 },
        { { "B", 1 }, 0 }, /* the end of the others too, whose number is then none */
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        struct text number = { text.at, text.len - units[i].unit.len };

        if (text_ends(text, units[i].unit) &&
            text_to_uint(number, SIZE_BYTES_MAX >> units[i].shift, out)) {
            *out <<= units[i].shift;
            return true;
        }
    }
    return false;
}

static void fill_size(const struct filling *filling)
{
    uint64_t *field = field_of(filling);
    unsigned long long value, ignored;

    if (text_to_uint(first_text(filling), ~0ULL, &ignored))
        bad_value(filling, &filling->given->items[0], "a unit is missing: B, KiB, MiB or GiB");
    else if (!parse_size(first_text(filling), &value))
        bad_value(
            filling, &filling->given->items[0],
            "must be a whole number with a unit, 1024GiB at most, such as 64KiB, 10MiB, 1GiB");
    else if (value == 0)
        bad_value(filling, &filling->given->items[0], "must be 1B or more");
    else
        *field = value;
}

static void fill_count(const struct filling *filling)
{
    unsigned *field = field_of(filling);
    unsigned long long value;

    if (text_to_uint(first_text(filling), COUNT_MAX, &value))
        *field = (unsigned)value;
    else
        bad_value(filling, &filling->given->items[0], "must be a whole number, 4194304 at most");
}

static void fill_threads(const struct filling *filling)
{
    unsigned *field = field_of(filling);
    unsigned long long value;

    if (text_eq(first_text(filling), TEXT("auto")))
        *field = 0;
    else if (text_to_uint(first_text(filling), SETTINGS_MAX_THREADS, &value) && value)
        *field = (unsigned)value;
    else
        bad_value(filling, &filling->given->items[0], "must be auto, or a number from 1 to 64");
}

static void fill_flag(const struct filling *filling)
{
    bool *field = field_of(filling), off = filling->row->kind == KIND_OFF_FLAG;
    struct text text = first_text(filling);

    if (text_eq(text, TEXT("true")) || text_eq(text, TEXT("1")))
        *field = !off;
    else if (text_eq(text, TEXT("false")) || text_eq(text, TEXT("0")))
        *field = off;
    else
        bad_value(filling, &filling->given->items[0], "must be true, false, 1 or 0");
}

/* "absent, placeholder, always or off", for a person. */
static void list_choices(const char *const *choices, char *out, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; choices[i] && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s",
                                 i == 0           ? "must be "
                                 : choices[i + 1] ? ", "
                                                  : " or ",
                                 choices[i]);
}

/* The index of the item in the row's choices, or -1 with a finding. */
static int choose(const struct filling *filling, const struct given_item *item)
{
    const char *const *choices = filling->row->choices;
    char problem[160];

    for (int i = 0; choices[i]; i++)
        if (text_eq(text_of(item->text), text_of(choices[i])))
            return i;
    list_choices(choices, problem, sizeof(problem));
    bad_value(filling, item, problem);
    return -1;
}

/* The enums that are chosen from have no negative member, so they are stored like an unsigned. */
_Static_assert(sizeof(enum inject) == sizeof(unsigned), "see fill_choice()");
_Static_assert(sizeof(enum log_level) == sizeof(unsigned), "see fill_choice()");

static void fill_choice(const struct filling *filling)
{
    int choice = choose(filling, &filling->given->items[0]);

    if (choice >= 0)
        memcpy(field_of(filling), &choice, sizeof(choice));
}

static void fill_choices(const struct filling *filling)
{
    unsigned *field = field_of(filling);

    for (size_t i = 0; i < filling->given->n; i++) {
        int choice = choose(filling, &filling->given->items[i]);

        if (choice >= 0)
            *field |= 1U << choice;
    }
}

static void fill_address(const struct filling *filling)
{
    struct listen_address *field = field_of(filling), address;
    const char *why;

    if (listen_address_parse(first_text(filling), &address, &why))
        *field = address;
    else
        bad_value(filling, &filling->given->items[0], why);
}

static void fill_log_target(const struct filling *filling)
{
    const char *why;

    if (!log_target_parse(first_text(filling), field_of(filling), &why))
        bad_value(filling, &filling->given->items[0], why);
}

static bool parse_address(struct text text, void *out, const char **why)
{
    return listen_address_parse(text, out, why);
}

static bool parse_cidr(struct text text, void *out, const char **why)
{
    return cidr_parse(text, out, why);
}

static bool parse_connect_to(struct text text, void *out, const char **why)
{
    return connect_to_parse(text, out, why);
}

static bool parse_client_cert(struct text text, void *out, const char **why)
{
    return client_certificate_parse(text, out, why);
}

static bool parse_pins(struct text text, void *out, const char **why)
{
    return pins_parse(text, out, why);
}

/* A list of values of `size` bytes each, in a pointer at `field` and a number at `count`. */
static void fill_list(const struct filling *filling, size_t size,
                      bool (*parse)(struct text text, void *out, const char **why))
{
    char *items = mem_alloc(filling->given->n, size);
    size_t *count = (void *)((char *)filling->settings + filling->row->count);
    const char *why;

    for (size_t i = 0; i < filling->given->n; i++) {
        const struct given_item *item = &filling->given->items[i];

        if (parse(text_of(item->text), items + *count * size, &why))
            ++*count;
        else
            bad_value(filling, item, why);
    }
    memcpy(field_of(filling), &items, sizeof(items));
}

static void fill_addresses(const struct filling *filling)
{
    fill_list(filling, sizeof(struct listen_address), parse_address);
}

static void fill_cidrs(const struct filling *filling)
{
    fill_list(filling, sizeof(struct cidr), parse_cidr);
}

static bool parse_server(struct text text, void *out, const char **why)
{
    return server_parse(text, out, why);
}

static void fill_servers(const struct filling *filling)
{
    fill_list(filling, sizeof(struct sockaddr_storage), parse_server);
}

static bool parse_id(struct text text, void *out, const char **why)
{
    unsigned long long number;
    uint32_t id;

    *why = "must be the number of a user or group, as `id` tells it";
    if (!text_to_uint(text, UINT32_MAX - 1, &number))
        return false;
    id = (uint32_t)number;
    memcpy(out, &id, sizeof(id));
    return true;
}

static void fill_ids(const struct filling *filling)
{
    fill_list(filling, sizeof(uint32_t), parse_id);
}

static void fill_connect_tos(const struct filling *filling)
{
    fill_list(filling, sizeof(struct connect_to), parse_connect_to);
}

/* Templates in the items, and then the list of those without a finding. */
static void fill_rules(const struct filling *filling, size_t size,
                       bool (*parse)(struct text text, void *out, const char **why))
{
    bool filled = true;

    for (size_t i = 0; i < filling->given->n; i++)
        filled = fill_templates(filling, &filling->given->items[i]) && filled;
    if (filled)
        fill_list(filling, size, parse);
}

static void fill_client_certs(const struct filling *filling)
{
    fill_rules(filling, sizeof(struct client_certificate), parse_client_cert);
}

static void fill_pins(const struct filling *filling)
{
    fill_rules(filling, sizeof(struct pins), parse_pins);
}

static void fill_words(const struct filling *filling)
{
    struct strings *words = field_of(filling);

    words->items = mem_alloc(filling->given->n, sizeof(*words->items));
    for (size_t i = 0; i < filling->given->n; i++)
        words->items[words->n++] = text_dup(text_of(filling->given->items[i].text));
}

static void fill_names(const struct filling *filling)
{
    bool known = true;

    for (size_t i = 0; i < filling->given->n; i++)
        known = choose(filling, &filling->given->items[i]) >= 0 && known;
    if (known)
        fill_words(filling);
}

void settings_fill(struct settings *settings, const struct settings_row *row, struct given *given,
                   struct diags *diags)
{
    static void (*const fill[N_SETTINGS_KINDS])(const struct filling *filling) = {
        [KIND_TEXT] = keep_text,
        [KIND_NAME] = fill_name,
        [KIND_PLACEHOLDER] = fill_placeholder,
        [KIND_HOST] = fill_host,
        [KIND_HOSTS] = fill_hosts,
        [KIND_MILLIS] = fill_millis,
        [KIND_WAIT] = fill_millis,
        [KIND_SIZE] = fill_size,
        [KIND_COUNT] = fill_count,
        [KIND_THREADS] = fill_threads,
        [KIND_FLAG] = fill_flag,
        [KIND_OFF_FLAG] = fill_flag,
        [KIND_CHOICE] = fill_choice,
        [KIND_CHOICES] = fill_choices,
        [KIND_ADDRESS] = fill_address,
        [KIND_ADDRESSES] = fill_addresses,
        [KIND_CIDRS] = fill_cidrs,
        [KIND_SERVERS] = fill_servers,
        [KIND_IDS] = fill_ids,
        [KIND_CONNECT_TOS] = fill_connect_tos,
        [KIND_CLIENT_CERTS] = fill_client_certs,
        [KIND_PINS] = fill_pins,
        [KIND_WORDS] = fill_words,
        [KIND_NAMES] = fill_names,
        [KIND_LOG_TARGET] = fill_log_target,
        [KIND_SECRET] = keep_text,
    };
    struct filling filling = { settings, row, given, diags };

    if (given->n > 0)
        fill[row->kind](&filling);
}

void settings_empty(struct settings *settings, const struct settings_row *row)
{
    char *field = (char *)settings + row->field;
    void *memory;

    switch (row->kind) {
    case KIND_HOSTS:
    case KIND_WORDS:
    case KIND_NAMES:
        for (size_t i = 0; i < ((struct strings *)(void *)field)->n; i++)
            free(((struct strings *)(void *)field)->items[i]);
        break;
    case KIND_TEXT:
    case KIND_NAME:
    case KIND_PLACEHOLDER:
    case KIND_HOST:
    case KIND_ADDRESSES:
    case KIND_CIDRS:
    case KIND_SERVERS:
    case KIND_IDS:
    case KIND_CONNECT_TOS:
    case KIND_CLIENT_CERTS:
    case KIND_PINS:
    case KIND_SECRET:
        break;
    default:
        return; /* held in the struct itself */
    }
    memcpy(&memory, field, sizeof(memory));
    if (row->kind == KIND_SECRET && memory)
        explicit_bzero(memory, strlen(memory));
    free(memory);
}
