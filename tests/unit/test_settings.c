#include "tests/unit/stories.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/memory.h"
#include "config/settings.h"
#include "config/settings_rows.h"

/* One call of settings_load(): words of the command line and of the environment are separated by
 * blanks, `file` is the text of settings.json, which is then named by JANUS_CONFIG. */
struct call {
    const char *flags, *environment, *file;
};

enum { WORDS_MAX = 16 };

/* Splits `text` in place at blanks. */
static int split(char *text, char **words)
{
    int n = 0;

    while (*text) {
        size_t len = strcspn(text, " ");

        assert_true(n < WORDS_MAX);
        words[n++] = text;
        text += len;
        if (*text)
            *text++ = '\0';
    }
    return n;
}

static void set_environment(const char *text)
{
    char *copy = text_dup(text_of(text)), *words[WORDS_MAX];
    int n = split(copy, words);

    clearenv();
    for (int i = 0; i < n; i++) {
        char *equals = strchr(words[i], '=');

        *equals = '\0';
        setenv(words[i], equals + 1, 1);
    }
    free(copy);
}

static void write_file(const char *text)
{
    FILE *file = fopen("settings.json", "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    setenv("JANUS_CONFIG", "settings.json", 1);
}

static struct settings *load(const struct call *call, struct strings *words, struct diags *diags)
{
    char *copy = text_dup(text_of(call->flags)), *argv[WORDS_MAX + 2] = { copy };
    int argc = split(copy, argv + 1) + 1;
    struct settings *settings;

    set_environment(call->environment);
    if (call->file)
        write_file(call->file);
    settings = settings_load(argc, argv, words, diags);
    free(copy);
    return settings;
}

struct wanted {
    const char *key, *value;
    bool met;
};

static void compare(void *context, const char *name, const char *value)
{
    struct wanted *wanted = context;

    if (strcmp(name, wanted->key) != 0)
        return;
    assert_string_equal(value, wanted->value);
    wanted->met = true;
}

/* Accepted without a finding, and `key` has `value`. */
static struct accepted {
    const char *name;
    struct call call;
    const char *key, *value;
} accepted[] = {
    { "a default", { "--account a", "", NULL }, "workspace", "master" },
    { "a flag with its value behind it", { "--account a", "", NULL }, "account", "a" },
    { "a flag with =", { "--account=a", "", NULL }, "account", "a" },
    { "a variable", { "", "JANUS_ACCOUNT=a", NULL }, "account", "a" },
    { "a key in the file", { "", "", "{\"account\": \"a\"}" }, "account", "a" },
    { "file beats default", { "--account a", "", "{\"region\": \"r\"}" }, "region", "r" },
    { "environment beats file",
      { "--account a", "JANUS_REGION=e", "{\"region\": \"r\"}" },
      "region",
      "e" },
    { "flag beats environment and file",
      { "--account a --region f", "JANUS_REGION=e", "{\"region\": \"r\"}" },
      "region",
      "f" },
    { "an empty variable is not set",
      { "--account a", "JANUS_REGION=", "{\"region\": \"r\"}" },
      "region",
      "r" },
    { "a wrong value that is overridden does no harm",
      { "--account a", "JANUS_ACCOUNT=-", NULL },
      "account",
      "a" },
    { "a flag without value is true", { "--account a --strict", "", NULL }, "strict", "true" },
    { "a flag can be taken back",
      { "--account a --strict=false", "JANUS_STRICT=1", NULL },
      "strict",
      "false" },
    { "a list is repeated",
      { "--account a --allow-address 10.0.0.0/8 --allow-address ::1", "", NULL },
      "allow-address",
      "10.0.0.0/8,::1" },
    { "a list in a variable",
      { "--account a", "JANUS_ALLOW_ADDRESS=10.0.0.0/8,::1", NULL },
      "allow-address",
      "10.0.0.0/8,::1" },
    { "a list in the file",
      { "--account a", "", "{\"allow-address\": [\"10.0.0.0/8\", \"::1\"]}" },
      "allow-address",
      "10.0.0.0/8,::1" },
    { "a list as one text in the file",
      { "--account a", "", "{\"allow-address\": \"10.0.0.0/8, ::1\"}" },
      "allow-address",
      "10.0.0.0/8,::1" },
    { "a higher list replaces a lower one",
      { "--account a --listen 127.0.0.1:1", "JANUS_LISTEN=127.0.0.1:2,127.0.0.1:3",
        "{\"listen\": [\"127.0.0.1:4\"]}" },
      "listen",
      "127.0.0.1:1" },
    { "an empty list in the file empties it",
      { "--account a", "", "{\"io-hosts\": []}" },
      "io-hosts",
      "" },
    { "a variable beats an empty list",
      { "--account a", "JANUS_IO_HOSTS=h", "{\"io-hosts\": []}" },
      "io-hosts",
      "h" },
    { "templates are filled in",
      { "--account a --workspace w --janus-hosts {{workspace}}--{{account}}.x", "", NULL },
      "janus-hosts",
      "w--a.x" },
    { "the default host is filled in",
      { "--account a", "", NULL },
      "default-host",
      "a.vtexcommercestable.com.br" },
    { "off loopback when asked for",
      { "--account a --listen 0.0.0.0:80 --unsafe-listen", "", NULL },
      "listen",
      "0.0.0.0:80" },
    { "a command's words in a variable",
      { "--account a", "JANUS_TOKEN_COMMAND=print-token", NULL },
      "token-command",
      "print-token" },
    { "a command's words in the file, blanks and commas and all",
      { "--account a", "", "{\"token-command\": [\"/opt/my bin/t\", \"--for\", \"a, b\"]}" },
      "token-command",
      "/opt/my bin/t,--for,a, b" },
    { "a command as one text in the file",
      { "--account a", "", "{\"token-command\": \" vault  kv\\tget \"}" },
      "token-command",
      "vault,kv,get" },
    { "sources in their order",
      { "--account a --token-sources login,file", "", NULL },
      "token-sources",
      "login,file" },
    { "sources in a variable",
      { "--account a", "JANUS_TOKEN_SOURCES=session,command", NULL },
      "token-sources",
      "session,command" },
    { "sources in the file",
      { "--account a", "", "{\"token-sources\": [\"file\", \"login\"]}" },
      "token-sources",
      "file,login" },
    { "a secret is taken from the environment and not shown",
      { "--account a", "JANUS_APPKEY=vtexappkey-a-SECRET", NULL },
      "appkey",
      "(set)" },
    { "a secret that is not there", { "--account a", "JANUS_APPTOKEN=", NULL }, "apptoken", "" },
    { "no wait at all", { "--account a --token-wait 0s", "", NULL }, "token-wait", "0s" },
    { "a size in bytes", { "--account a --max-body 1B", "", NULL }, "max-body", "1B" },
    { "a size in the file",
      { "--account a", "", "{\"max-body\": \"10MiB\"}" },
      "max-body",
      "10MiB" },
    { "the largest size", { "--account a --max-body 1024GiB", "", NULL }, "max-body", "1024GiB" },
    { "no limit of size", { "--account a", "", NULL }, "max-body", "" },
    { "a count", { "--account a --max-requests 0", "", NULL }, "max-requests", "0" },
    { "threads", { "--account a --threads 64", "", NULL }, "threads", "64" },
    { "as many threads as processors",
      { "--account a --threads auto", "", NULL },
      "threads",
      "auto" },
    { "threads, a number in the file", { "--account a", "", "{\"threads\": 4}" }, "threads", "4" },
    { "threads, a word in the file",
      { "--account a", "", "{\"threads\": \"auto\"}" },
      "threads",
      "auto" },
    { "a count in the file",
      { "--account a", "", "{\"max-requests\": 12}" },
      "max-requests",
      "12" },
    { "the longest time", { "--account a --idle-timeout 24h", "", NULL }, "idle-timeout", "24h" },
};

static void test_accepted(void **state)
{
    const struct accepted *row = *state;
    struct wanted wanted = { row->key, row->value, false };
    struct diags diags = { 0 };
    struct settings *settings = load(&row->call, NULL, &diags);

    diags_print(&diags, stderr);
    assert_int_equal(diags.n, 0);
    settings_each(settings, compare, &wanted);
    assert_true(wanted.met);
    settings_free(settings);
    diags_fini(&diags);
}

/* Exactly one finding, and it is fatal. */
static struct refused {
    const char *name;
    struct call call;
    const char *where, *what;
} refused[] = {
    { "no account", { "", "", NULL }, "--account", "JANUS_ACCOUNT" },
    { "an empty account", { "--account=", "", NULL }, "--account", "is empty" },
    { "an account with a dot", { "--account a.b", "", NULL }, "--account", "letters, digits" },
    { "an account with a slash", { "", "JANUS_ACCOUNT=a/b", NULL }, "JANUS_ACCOUNT", "letters" },
    { "an account that begins with a dash", { "--account=-a", "", NULL }, "--account", "first" },
    { "an account with a wildcard",
      { "", "", "{\"account\": \"*\"}" },
      "settings.json:1:13",
      "letters" },
    { "a workspace with braces",
      { "--account a --workspace {{account}}", "", NULL },
      "--workspace",
      "letters" },
    { "an account that is too long",
      { "--account aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "", NULL },
      "--account",
      "1 to 63" },
    { "an unknown option", { "--account a --frobnicate", "", NULL }, "--frobnicate", "--help" },
    { "an option with a slip",
      { "--account a --lisen=127.0.0.1:1", "", NULL },
      "--lisen",
      "did you mean --listen?" },
    { "an option with an underscore",
      { "--account a --token_file x", "", NULL },
      "--token_file",
      "did you mean --token-file?" },
    { "the value of an unknown option is not shown",
      { "--account a --token=eyJhbGciOi", "", NULL },
      "--token",
      "unknown option" },
    { "a short option", { "--account a -v", "", NULL }, "-v", "unknown option" },
    { "a value is missing at the end",
      { "--account a --region", "", NULL },
      "--region",
      "a value is missing" },
    { "a value is missing before an option",
      { "--region --account a", "", NULL },
      "--region",
      "a value is missing" },
    { "given twice", { "--account a --account a", "", NULL }, "--account", "more than once" },
    { "a flag given twice",
      { "--account a --strict --strict", "", NULL },
      "--strict",
      "more than once" },
    { "a flag with a strange value",
      { "--account a --strict=yes", "", NULL },
      "--strict",
      "true, false, 1 or 0" },
    { "a variable with a strange value",
      { "--account a", "JANUS_NO_JANUS_ALIAS=no", NULL },
      "JANUS_NO_JANUS_ALIAS",
      "true, false, 1 or 0" },
    { "a choice that is none",
      { "--account a --inject sometimes", "", NULL },
      "--inject",
      "must be absent, placeholder, always or off" },
    { "a choice in another case",
      { "--account a --log-level INFO", "", NULL },
      "--log-level",
      "must be error, warning, info or debug" },
    { "a log that leads nowhere",
      { "--account a --log stdout", "", NULL },
      "--log",
      "expected stderr, syslog: or file:PATH" },
    { "a log's file without a name",
      { "--account a", "JANUS_LOG=file:", NULL },
      "JANUS_LOG",
      "expected a path behind the colon" },
    { "a path as the log",
      { "--account a --log /var/log/a.log", "", NULL },
      "--log",
      "expected stderr, syslog: or file:PATH" },
    { "a syslog socket with a name that is too long",
      { "--account a --log "
        "syslog:/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "", NULL },
      "--log",
      "the path is too long" },
    { "a format that is none",
      { "--account a --log-format xml", "", NULL },
      "--log-format",
      "must be logfmt or json" },
    { "a trace that is none",
      { "--account a --trace on", "", NULL },
      "--trace",
      "must be pass or make" },
    { "a kind that is none",
      { "--account a --policy-kinds license,foo", "", NULL },
      "--policy-kinds",
      "\"foo\": must be outbound-access, license or app" },
    { "an empty item in a list",
      { "--account a --policy-kinds license,,app", "", NULL },
      "--policy-kinds",
      "is empty" },
    { "a time without unit",
      { "--account a --idle-timeout 60", "", NULL },
      "--idle-timeout",
      "a unit is missing" },
    { "a time with a strange unit",
      { "--account a --idle-timeout 60sec", "", NULL },
      "--idle-timeout",
      "whole number" },
    { "a time with a fraction",
      { "--account a --idle-timeout 1.5s", "", NULL },
      "--idle-timeout",
      "whole number" },
    { "a negative time",
      { "--account a --idle-timeout=-1s", "", NULL },
      "--idle-timeout",
      "whole number" },
    { "a unit alone",
      { "--account a --idle-timeout ms", "", NULL },
      "--idle-timeout",
      "whole number" },
    { "a time that is too long",
      { "--account a --idle-timeout 25h", "", NULL },
      "--idle-timeout",
      "24h at most" },
    { "a time that would wrap",
      { "--account a --idle-timeout 18446744073709551617s", "", NULL },
      "--idle-timeout",
      "24h at most" },
    { "a size without unit",
      { "--account a --max-body 1000", "", NULL },
      "--max-body",
      "a unit is missing: B, KiB, MiB or GiB" },
    { "a size with a strange unit",
      { "--account a --max-body 10MB", "", NULL },
      "--max-body",
      "such as 64KiB, 10MiB, 1GiB" },
    { "a size with a fraction",
      { "--account a --max-body 1.5MiB", "", NULL },
      "--max-body",
      "whole number" },
    { "a size with a blank",
      { "--account a", "", "{\"max-body\": \"10 MiB\"}" },
      "settings.json:1:14",
      "whole number" },
    { "a unit of size alone",
      { "--account a --max-body KiB", "", NULL },
      "--max-body",
      "whole number" },
    { "a size that is too large",
      { "--account a --max-body 1025GiB", "", NULL },
      "--max-body",
      "1024GiB at most" },
    { "a size that would wrap",
      { "--account a --max-body 18014398509481985KiB", "", NULL },
      "--max-body",
      "1024GiB at most" },
    { "no size", { "--account a --max-body 0B", "", NULL }, "--max-body", "1B or more" },
    { "a size as a number in the file",
      { "--account a", "", "{\"max-body\": 1000}" },
      "settings.json:1:14",
      "such as \"64KiB\"" },
    { "no thread",
      { "--account a --threads 0", "", NULL },
      "--threads",
      "must be auto, or a number from 1 to 64" },
    { "too many threads",
      { "--account a --threads 65", "", NULL },
      "--threads",
      "must be auto, or a number from 1 to 64" },
    { "threads in words",
      { "--account a --threads two", "", NULL },
      "--threads",
      "must be auto, or a number from 1 to 64" },
    { "a count with a unit",
      { "--account a --max-requests 10k", "", NULL },
      "--max-requests",
      "whole number" },
    { "a negative count",
      { "--account a", "", "{\"max-requests\": -1}" },
      "settings.json:1:18",
      "whole number" },
    { "a count with a fraction",
      { "--account a", "", "{\"max-requests\": 1.5}" },
      "settings.json:1:18",
      "whole number" },
    { "a count that is too large",
      { "--account a --max-requests 4194305", "", NULL },
      "--max-requests",
      "4194304 at most" },
    { "a count as text in the file",
      { "--account a", "", "{\"max-requests\": \"10\"}" },
      "settings.json:1:18",
      "must be a whole number" },
    { "no time", { "--account a --idle-timeout 0ms", "", NULL }, "--idle-timeout", "1ms or more" },
    { "listening on a name",
      { "--account a --listen localhost:80", "", NULL },
      "--listen",
      "literal address" },
    { "a mode without a Unix socket",
      { "--account a --listen 127.0.0.1:0,mode=0660", "", NULL },
      "--listen",
      "address and port" },
    { "a Unix socket with something unknown behind it",
      { "--account a --listen unix:/x,mode=0660,owner=me", "", NULL },
      "--listen",
      "address and port" },
    { "listening off loopback",
      { "--account a --listen 0.0.0.0:80", "", NULL },
      "--listen",
      "--unsafe-listen" },
    { "one of two off loopback",
      { "--account a", "JANUS_LISTEN=127.0.0.1:80,[::]:80", NULL },
      "JANUS_LISTEN",
      "[::]:80 is not a loopback" },
    { "admin off loopback",
      { "--account a --admin 10.0.0.1:80", "", NULL },
      "--admin",
      "--unsafe-listen" },
    { "listening nowhere",
      { "--account a", "", "{\"listen\": []}" },
      "settings.json",
      "at least one address" },
    { "a placeholder with a semicolon",
      { "--account a --placeholder a;b", "", NULL },
      "--placeholder",
      "visible ASCII" },
    { "a placeholder with a blank",
      { "--account a", "", "{\"placeholder\": \"a b\"}" },
      "settings.json:1:17",
      "visible ASCII" },
    { "a placeholder outside ASCII",
      { "--account a --placeholder \xc3\xa9", "", NULL },
      "--placeholder",
      "visible ASCII" },
    { "a scheme in a host",
      { "--account a --default-host https://x", "", NULL },
      "--default-host",
      "a host alone" },
    { "a path in a list of hosts",
      { "--account a --plaintext-host a,b/c", "", NULL },
      "--plaintext-host",
      "\"b/c\": must be a host alone" },
    { "an unknown template",
      { "--account a --janus-hosts {{vendor}}.x", "", NULL },
      "--janus-hosts",
      "only {{account}}" },
    { "a template of the app",
      { "--account a --default-host {{appId}}.x", "", NULL },
      "--default-host",
      "only {{account}}" },
    { "a broken template",
      { "--account a --default-host {{account}.x", "", NULL },
      "--default-host",
      "only {{account}}" },
    { "no address range",
      { "--account a --allow-address 10.0.0.1/8", "", NULL },
      "--allow-address",
      "bits set" },
    { "no connect-to",
      { "--account a --connect-to a:443:b", "", NULL },
      "--connect-to",
      "HOST:PORT:ADDR:PORT" },
    { "a word where none belongs", { "--account a word", "", NULL }, "word", "not an option" },
    { "a file that is not there",
      { "--account a --config nowhere.json", "", NULL },
      "nowhere.json",
      "--config FILE" },
    { "a broken file hides whether it has an account",
      { "", "", "{" },
      "settings.json:1:2",
      "too early" },
    { "an account without value", { "--account", "", NULL }, "--account", "a value is missing" },
    { "a list of a wrong type",
      { "--account a", "", "{\"listen\": 1}" },
      "settings.json:1:12",
      "array of strings" },
    { "a file that is not JSON",
      { "--account a", "", "{\n\"region\": }" },
      "settings.json:2:11",
      "not valid JSON" },
    { "a file that is an array",
      { "--account a", "", "[]" },
      "settings.json:1:1",
      "one JSON object" },
    { "an unknown key",
      { "--account a", "", "{\n \"tokenFile\": \"x\"}" },
      "settings.json:2:2",
      "did you mean \"token-file\"?" },
    { "an unknown key far from all",
      { "--account a", "", "{\"frobnicate\": 1}" },
      "settings.json:1:2",
      "unknown setting \"frobnicate\"" },
    { "a key twice",
      { "", "", "{\"account\": \"a\",\n\"account\": \"b\"}" },
      "settings.json:2:1",
      "more than once" },
    { "a file in the file",
      { "--account a", "", "{\"config\": \"x\"}" },
      "settings.json:1:2",
      "cannot name" },
    { "a number for a text",
      { "", "", "{\"account\": 1}" },
      "settings.json:1:13",
      "must be a string" },
    { "a number for a time",
      { "--account a", "", "{\"idle-timeout\": 60}" },
      "settings.json:1:18",
      "with a unit" },
    { "a text for a flag",
      { "--account a", "", "{\"strict\": \"true\"}" },
      "settings.json:1:12",
      "true or false" },
    { "null", { "--account a", "", "{\"region\": null}" }, "settings.json:1:12", "a string" },
    { "an array for a text",
      { "--account a", "", "{\"region\": [\"r\"]}" },
      "settings.json:1:12",
      "a string" },
    { "a number in a list",
      { "--account a", "", "{\"io-hosts\": [\"h\",\n 1]}" },
      "settings.json:2:2",
      "array of strings" },
    { "a wrong type is found although a flag overrides it",
      { "--account a --region r", "", "{\"region\": 1}" },
      "settings.json:1:12",
      "a string" },
    { "an empty text", { "--account a", "", "{\"region\": \"\"}" }, "settings.json:1:12", "empty" },
    { "a secret on the command line: the way out is told",
      { "--account a --appkey eyJsecret", "", NULL },
      "--appkey",
      "taken from the environment (JANUS_APPKEY) or from a file (--appkey-file FILE) only" },
    { "behind =",
      { "--account a --apptoken=eyJsecret", "", NULL },
      "--apptoken",
      "(JANUS_APPTOKEN) or from a file (--apptoken-file FILE) only" },
    { "a secret on the command line, although the environment has one",
      { "--account a --appkey eyJsecret", "JANUS_APPKEY=x", NULL },
      "--appkey",
      "--appkey-file FILE" },
    { "a secret in the file",
      { "--account a", "", "{\"appkey\": \"eyJsecret\"}" },
      "settings.json:1:12",
      "(JANUS_APPKEY) or from a file (--appkey-file FILE) only" },
    { "a secret in the file that is no text",
      { "--account a", "", "{\"apptoken\": 5}" },
      "settings.json:1:14",
      "a string" },
    { "a source that there is not",
      { "--account a --token-sources file,vault", "", NULL },
      "--token-sources",
      "\"vault\": must be file, command, session or login" },
    { "a command of blanks",
      { "--account a", "", "{\"token-command\": \"  \"}" },
      "settings.json:1:19",
      "is empty" },
    { "an empty word in a command",
      { "--account a", "", "{\"token-command\": [\"a\", \"\"]}" },
      "settings.json:1:25",
      "is empty" },
    { "a number in a command",
      { "--account a", "", "{\"token-command\": [\"a\", 1]}" },
      "settings.json:1:25",
      "array of strings" },
    { "a NUL in a text",
      { "--account a", "", "{\"region\": \"a\\u0000b\"}" },
      "settings.json:1:12",
      "NUL" },
};

static void test_refused(void **state)
{
    const struct refused *row = *state;
    struct diags diags = { 0 };
    struct settings *settings = load(&row->call, NULL, &diags);

    if (diags.n != 1)
        diags_print(&diags, stderr);
    assert_int_equal(diags.n, 1);
    assert_int_equal(diags.fatal, 1);
    assert_string_equal(diags.items[0].where, row->where);
    assert_non_null(strstr(diags.items[0].what, row->what));
    assert_null(strstr(diags.items[0].where, "eyJ"));
    assert_null(strstr(diags.items[0].what, "eyJ"));
    settings_free(settings);
    diags_fini(&diags);
}

/* Exactly one finding, and it is a warning. */
static struct warned {
    const char *name;
    struct call call;
    const char *where, *what;
} warned[] = {
    { "an unknown variable",
      { "--account a", "JANUS_FROBNICATE=1", NULL },
      "JANUS_FROBNICATE",
      "no such setting" },
    { "a variable with a slip",
      { "--account a", "JANUS_ACCOUT=1", NULL },
      "JANUS_ACCOUT",
      "did you mean JANUS_ACCOUNT?" },
    { "a byte order mark",
      { "", "", "\xEF\xBB\xBF{\"account\": \"a\"}" },
      "settings.json:1:1",
      "byte order mark" },
};

static void test_warned(void **state)
{
    const struct warned *row = *state;
    struct diags diags = { 0 };
    struct settings *settings = load(&row->call, NULL, &diags);

    assert_int_equal(diags.fatal, 0);
    assert_int_equal(diags.warnings, 1);
    assert_string_equal(diags.items[0].where, row->where);
    assert_non_null(strstr(diags.items[0].what, row->what));
    settings_free(settings);
    diags_fini(&diags);
}

static void test_defaults(void **state)
{
    const struct call call = { "--account a", "", NULL };
    struct diags diags = { 0 };
    struct settings *settings = load(&call, NULL, &diags);

    (void)state;
    assert_null(settings->config_file);
    assert_string_equal(settings->manifest_file, "manifest.json");
    assert_string_equal(settings->workspace, "master");
    assert_string_equal(settings->region, "aws-us-east-1");
    assert_int_equal(settings->policy_kinds, POLICY_OUTBOUND_ACCESS | POLICY_LICENSE | POLICY_APP);
    assert_true(settings->janus_alias);
    assert_false(settings->strict);
    assert_int_equal(settings->n_listen, 1);
    assert_true(settings->listen[0].loopback);
    assert_true(settings->admin.loopback);
    assert_null(settings->token_file);
    assert_string_equal(settings->placeholder, "janus-sidecar-placeholder");
    assert_int_equal(settings->inject, INJECT_ABSENT);
    assert_int_equal(settings->janus_hosts.n, 14);
    assert_string_equal(settings->janus_hosts.items[0], "a.vtexcommercestable.com.br");
    assert_int_equal(settings->io_hosts.n, 3);
    assert_int_equal(settings->n_connect_to, 0);
    assert_int_equal(settings->token_wait_ms, 2000);
    assert_int_equal(settings->connect_ms, 5000);
    assert_int_equal(settings->dns_ms, 0);
    assert_int_equal(settings->tcp_ms, 0);
    assert_int_equal(settings->tls_ms, 0);
    assert_int_equal(settings->n_resolver, 0);
    assert_int_equal(settings->response_ms, 60000);
    assert_int_equal(settings->idle_ms, 60000);
    assert_int_equal(settings->client_idle_ms, 75000);
    assert_int_equal(settings->head_ms, 10000);
    assert_int_equal(settings->pool_idle_ms, 50000);
    assert_int_equal(settings->drain_ms, 30000);
    assert_int_equal(settings->log_level, LOG_INFO);
    assert_int_equal(settings->log.kind, LOG_TO_STDERR);
    assert_int_equal(settings->log_format, LOG_LOGFMT);
    assert_int_equal(settings->trace, TRACE_PASS);
    settings_free(settings);
    diags_fini(&diags);
}

static void test_every_kind(void **state)
{
    const struct call call = {
        "--no-janus-alias --policy-kinds app --log-level=debug --token-wait 300ms",
        "JANUS_INJECT=off JANUS_CONNECT_TO=::127.0.0.1:9443,a.x:443:b.x: JANUS_DRAIN_TIMEOUT=1m",
        "{\"account\": \"a\", \"strict\": true, \"plaintext-host\": [\"b.x\", \"{{account}}.x\"],"
        " \"allow-address\": \"127.0.0.0/8\", \"admin\": \"[::1]:0\", \"ca-file\": \"ca.pem\"}"
    };
    struct diags diags = { 0 };
    struct settings *settings = load(&call, NULL, &diags);

    (void)state;
    diags_print(&diags, stderr);
    assert_int_equal(diags.n, 0);
    assert_false(settings->janus_alias);
    assert_true(settings->strict);
    assert_int_equal(settings->policy_kinds, POLICY_APP);
    assert_int_equal(settings->log_level, LOG_DEBUG);
    assert_int_equal(settings->inject, INJECT_OFF);
    assert_int_equal(settings->token_wait_ms, 300);
    assert_int_equal(settings->drain_ms, 60000);
    assert_int_equal(settings->n_connect_to, 2);
    assert_string_equal(settings->connect_to[1].to_host, "b.x");
    assert_int_equal(settings->plaintext_hosts.n, 2);
    assert_string_equal(settings->plaintext_hosts.items[1], "a.x");
    assert_int_equal(settings->n_allow_address, 1);
    assert_int_equal(settings->admin.socket.ss_family, AF_INET6);
    assert_string_equal(settings->ca_file, "ca.pem");
    settings_free(settings);
    diags_fini(&diags);
}

static void expect_log(const char *flags, enum log_target_kind kind, const char *path)
{
    const struct call call = { flags, "", NULL };
    struct diags diags = { 0 };
    struct settings *settings = load(&call, NULL, &diags);

    assert_int_equal(diags.n, 0);
    assert_int_equal(settings->log.kind, kind);
    assert_string_equal(settings->log.path, path);
    settings_free(settings);
    diags_fini(&diags);
}

static void test_log_targets(void **state)
{
    (void)state;
    expect_log("--account a --log stderr", LOG_TO_STDERR, "");
    expect_log("--account a --log syslog:", LOG_TO_SYSLOG, "/dev/log");
    expect_log("--account a --log syslog:/run/log.sock", LOG_TO_SYSLOG, "/run/log.sock");
    expect_log("--account a --log file:/var/log/a.log", LOG_TO_FILE, "/var/log/a.log");
    expect_log("--account a --log file:a:b", LOG_TO_FILE, "a:b");
}

/* The comma before mode= and group= parts no items; every other one does. */
static void test_unix_listeners(void **state)
{
    static char words[][80] = { "run",
                                "--account",
                                "a",
                                "--listen",
                                "127.0.0.1:1,unix:/a,mode=0660,group=g,unix:/b,systemd:c",
                                "--listen",
                                "unix:/d,group=h" };
    char *argv[] = { words[0], words[1], words[2], words[3], words[4], words[5], words[6], NULL };
    struct diags diags = { 0 };
    struct settings *settings = settings_load(7, argv, NULL, &diags);

    (void)state;
    diags_print(&diags, stderr);
    assert_int_equal(diags.n, 0);
    assert_int_equal(settings->n_listen, 5);
    assert_int_equal(settings->listen[0].kind, LISTEN_TCP);
    assert_int_equal(settings->listen[1].mode, 0660);
    assert_string_equal(settings->listen[1].group, "g");
    assert_int_equal(settings->listen[2].mode, 0600);
    assert_int_equal(settings->listen[3].kind, LISTEN_SYSTEMD);
    assert_string_equal(settings->listen[4].group, "h");
    settings_free(settings);
    diags_fini(&diags);
}

static void no_secret(void *context, const char *name, const char *value)
{
    (void)context;
    if (strstr(value, "s3cr3t"))
        fail_msg("%s shows a secret", name);
}

/* The environment's value is there for those who use it, and for nobody else. */
static void test_secrets(void **state)
{
    const struct call call = { "--account a", "JANUS_APPKEY=key-s3cr3t JANUS_APPTOKEN=token,s3cr3t",
                               NULL };
    struct diags diags = { 0 };
    struct settings *settings = load(&call, NULL, &diags);
    char *printed = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&printed, &len);

    (void)state;
    assert_int_equal(diags.n, 0);
    assert_string_equal(settings->appkey, "key-s3cr3t");
    assert_string_equal(settings->apptoken, "token,s3cr3t"); /* one text, whatever is in it */
    settings_each(settings, no_secret, NULL);
    settings_print_help(out);
    settings_print_markdown(out);
    fclose(out);
    assert_null(strstr(printed, "s3cr3t"));
    free(printed);
    settings_free(settings);
    diags_fini(&diags);
}

static void test_words(void **state)
{
    char program[] = "x", check[] = "check", account[] = "--account=a", dash[] = "-", end[] = "--",
         odd[] = "--odd";
    char *argv[] = { program, check, account, dash, end, odd };
    struct strings words = { 0 };
    struct diags diags = { 0 };
    struct settings *settings;

    (void)state;
    clearenv();
    settings = settings_load(6, argv, &words, &diags);
    assert_int_equal(diags.n, 0);
    assert_int_equal(words.n, 3);
    assert_ptr_equal(words.items[0], check);
    assert_ptr_equal(words.items[1], dash);
    assert_ptr_equal(words.items[2], odd);
    settings_free(settings);
    free(words.items);
}

static void test_all_findings(void **state)
{
    const struct call call = { "--foo --inject x --idle-timeout 5", "JANUS_REGION=.",
                               "{\"bar\": 1, \"strict\": 1}" };
    struct diags diags = { 0 };
    struct settings *settings = load(&call, NULL, &diags);

    (void)state;
    assert_int_equal(diags.fatal, 7); /* the seventh: no account */
    settings_free(settings);
    diags_fini(&diags);
}

static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < settings_n_rows; i++) {
        const struct settings_row *row = &settings_rows[i];
        char variable[64] = "JANUS_";
        size_t len = strlen(variable);

        for (const char *c = settings_key(row); *c; c++)
            variable[len++] = (char)(*c == '-' ? '_' : *c >= 'a' && *c <= 'z' ? *c & ~0x20 : *c);
        assert_string_equal(row->variable, variable);
        assert_int_equal(settings_is_flag(row), row->value == NULL);
    }
}

static void test_printed(void **state)
{
    char *help = NULL, *markdown = NULL;
    size_t help_len = 0, markdown_len = 0;
    FILE *help_out = open_memstream(&help, &help_len);
    FILE *markdown_out = open_memstream(&markdown, &markdown_len);

    (void)state;
    settings_print_help(help_out);
    settings_print_markdown(markdown_out);
    fclose(help_out);
    fclose(markdown_out);
    for (size_t i = 0; i < settings_n_rows; i++) {
        assert_non_null(strstr(help, settings_rows[i].flag));
        assert_non_null(strstr(help, settings_rows[i].variable));
        assert_non_null(strstr(markdown, settings_rows[i].flag));
        assert_non_null(strstr(markdown, settings_rows[i].variable));
    }
    for (const char *line = help; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 100);
    free(help);
    free(markdown);
}

int main(void)
{
    static struct stories stories;
    char directory[] = "/tmp/test_settings_XXXXXX";
    int failed;

    if (!mkdtemp(directory) || chdir(directory) != 0)
        return 1;
    STORIES_ADD(&stories, accepted, test_accepted);
    STORIES_ADD(&stories, refused, test_refused);
    STORIES_ADD(&stories, warned, test_warned);
    stories_add(&stories, "defaults", test_defaults, NULL);
    stories_add(&stories, "every kind of setting", test_every_kind, NULL);
    stories_add(&stories, "where the log goes", test_log_targets, NULL);
    stories_add(&stories, "Unix sockets in lists", test_unix_listeners, NULL);
    stories_add(&stories, "secrets of the environment", test_secrets, NULL);
    stories_add(&stories, "words, a dash, and the end of options", test_words, NULL);
    stories_add(&stories, "all findings at once", test_all_findings, NULL);
    stories_add(&stories, "variables are named like options", test_names, NULL);
    stories_add(&stories, "help and Markdown name every setting", test_printed, NULL);
    failed = stories_run("settings", &stories);
    unlink("settings.json");
    rmdir(directory);
    return failed;
}
