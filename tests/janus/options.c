#include "tests/janus/options.h"

#include <getopt.h>
#include <stdlib.h>

enum { LIFE_MAX_S = 10 * 365 * 24 * 60 * 60 };

/* One row an option: getopt's table and --help walk it. */
static const struct row {
    const char *name, *value, *help;
} rows[] = {
    { "listen", "ADDR", "127.0.0.1:0 (default), [::1]:8443" },
    { "plain", "ADDR", "a second listener, without TLS: it plays an app behind a guard" },
    { "ca-out", "FILE", "write the CA certificate here (needed)" },
    { "token-out", "FILE", "write the app token here; rotated in place" },
    { "token-life", "TIME", "of the app token: 30s, 10m, 24h (default)" },
    { "login-life", "TIME", "of a token from apptoken/login: 6h (default), down to 1s" },
    { "login-kind", "KIND", "what it is: admin (default), app" },
    { "account", "NAME", "acme" },
    { "workspace", "NAME", "master" },
    { "app", "ID", "acme.my-app@1.2.3, the app that the token belongs to" },
    { "appkey", "TEXT", "vtexappkey-acme-JANUS, known to apptoken/login" },
    { "apptoken", "TEXT", "janus-sim-apptoken, its other half" },
    { "host", "NAME", "a further name for clients that send no SNI; repeatable" },
    { "help", NULL, "this" },
};

enum { N_ROWS = sizeof(rows) / sizeof(*rows) };

static void print_help(void)
{
    puts("janus-sim - a TLS server that plays VTEX's hosts. See tests/janus/README.md\n");
    for (size_t i = 0; i < N_ROWS; i++)
        printf("  --%-10s %-5s %s\n", rows[i].name, rows[i].value ? rows[i].value : "",
               rows[i].help);
}

static bool parse_life(const char *text, long *seconds)
{
    static const struct {
        char unit;
        long seconds;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
    struct text number = text_of(text);
    unsigned long long n;

    for (size_t i = 0; i < 4 && number.len > 0; i++) {
        if (number.at[number.len - 1] != units[i].unit)
            continue;
        number.len--;
        if (!text_to_uint(number, LIFE_MAX_S / (unsigned long)units[i].seconds, &n))
            return false;
        *seconds = (long)n * units[i].seconds;
        return n > 0;
    }
    return false;
}

static bool parse_kind(const char *text, enum token_kind *kind)
{
    *kind = strcmp(text, "app") == 0 ? TOKEN_APP : TOKEN_ADMIN;
    return *kind == TOKEN_APP || strcmp(text, "admin") == 0;
}

static bool set(struct options *o, const char *name, const char *value)
{
    const struct {
        const char *name, **field;
    } texts[] = {
        { "listen", &o->listen },   { "ca-out", &o->ca_out },       { "token-out", &o->token_out },
        { "account", &o->account }, { "workspace", &o->workspace }, { "app", &o->app_id },
        { "plain", &o->plain },     { "appkey", &o->appkey },       { "apptoken", &o->apptoken },
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (strcmp(texts[i].name, name) == 0)
            *texts[i].field = value;
    if (strcmp(name, "token-life") == 0)
        return parse_life(value, &o->token_life_s);
    if (strcmp(name, "login-life") == 0)
        return parse_life(value, &o->login_life_s);
    if (strcmp(name, "login-kind") == 0)
        return parse_kind(value, &o->login_kind);
    if (strcmp(name, "host") != 0)
        return true;
    if (o->n_hosts == HOSTS_MAX)
        return false;
    o->hosts[o->n_hosts++] = value;
    return true;
}

static int complain(const char *what, const char *value)
{
    fprintf(stderr, "janus-sim: %s%s; --help lists the options\n", what, value);
    return 2;
}

int options_parse(int argc, char **argv, struct options *options)
{
    struct option table[N_ROWS + 1] = { 0 };
    int at, found;

    *options = (struct options){ .listen = "127.0.0.1:0",
                                 .account = "acme",
                                 .workspace = "master",
                                 .app_id = "acme.my-app@1.2.3",
                                 .appkey = "vtexappkey-acme-JANUS",
                                 .apptoken = "janus-sim-apptoken",
                                 .token_life_s = 24 * 60 * 60,
                                 .login_life_s = 6 * 60 * 60,
                                 .login_kind = TOKEN_ADMIN };
    for (size_t i = 0; i < N_ROWS; i++)
        table[i] = (struct option){ rows[i].name, rows[i].value ? required_argument : no_argument,
                                    NULL, 1 };
    while ((found = getopt_long(argc, argv, "", table, &at)) != -1) {
        if (found != 1)
            return 2;
        if (!rows[at].value) {
            print_help();
            return 0;
        }
        if (!set(options, rows[at].name, optarg))
            return complain("cannot use the value ", optarg);
    }
    if (optind < argc)
        return complain("not an option: ", argv[optind]);
    return options->ca_out ? -1 : complain("--ca-out FILE is needed", "");
}
