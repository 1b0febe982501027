/* janus-sidecar: an authenticating reverse proxy beside an app on VTEX IO. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/settings.h"
#include "proxy/bind_now.h"
#include "proxy/commands.h"

enum { EXIT_USAGE = 2 };

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage, *help;
} commands[] = {
    { "run", command_run, "run [options]", "the sidecar" },
    { "check", command_check, "check [options] METHOD URL | - | --replay FILE",
      "the verdict offline, a line a request: of one, of lines of METHOD URL, of a log of ours" },
    { "explain", command_explain, "explain [options] METHOD URL",
      "the long answer: readings, nearest rule, what failed, the policy to add" },
    { "learn", command_learn, "learn [options] --from LOG",
      "the smallest policies for what the access log shows, and those never used" },
    { "validate", command_validate, "validate [options]",
      "every finding in settings, manifest and token source" },
    { "graphql", command_graphql, "graphql check [--builder 1.x|2.x] PATH...",
      "the rules of @auth over the *.graphql of a schema" },
    { "token", command_token, "token [options]",
      "what is known of the app token: source, life, claims; never its value" },
    { "exec", command_exec, "exec [options] -- APP [ARGUMENTS]",
      "a sidecar on a port of its own, and the app beside it; ends with its status" },
    { "wait", command_wait, "wait [--max 30s] [options]",
      "until the sidecar at --admin is ready; 1 when it is not by then" },
};

static int print_help(void)
{
    puts("janus-sidecar " JANUS_VERSION " - adds an app's rotating token to the requests that its "
         "manifest allows\n");
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        printf("  janus-sidecar %-46s %s\n", commands[i].usage, commands[i].help);
    printf("  janus-sidecar %-46s %s\n\n", "version", "its version");
    puts(
        "With --json, check prints an object a line; explain, learn, validate, token and graphql\n"
        "check print one object.\n"
        "With --junit FILE, check also writes a report for a CI server.\n"
        "graphql check also takes --sarif FILE, and --manifest FILE for the builder's version; it\n"
        "needs none of the options below.\n"
        "learn also takes --fold N and --fold-words N, so many distinct ids (3) or words (never)\n"
        "become a `*`, and --fresh, as if today's manifest had no policies.\n");
    settings_print_help(stdout);
    return 0;
}

static int print_usage(const char *word)
{
    fprintf(stderr, "janus-sidecar: error: %s%s; known are", word ? word : "no command is given",
            word ? " is not a command" : "");
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        fprintf(stderr, " %s,", commands[i].name);
    fputs(" version, --help\n", stderr);
    return EXIT_USAGE;
}

/* A descriptor that is missing here would be given to the next file or socket, and what is printed
 * would go there: into a client's connection, say. */
static void fill_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            _exit(EXIT_USAGE); /* and there is nowhere to say why */
    }
}

static int run_command(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, argv[0]) != 0)
            continue;
        for (int j = 1; j < argc && strcmp(argv[j], "--") != 0; j++) {
            if (strcmp(argv[j], "--help") == 0)
                return print_help();
        }
        return commands[i].run(argc, argv);
    }
    return print_usage(argv[0]);
}

int main(int argc, char **argv)
{
    fill_standard_descriptors();
    if (argc > 1 && (strcmp(argv[1], "run") == 0 || strcmp(argv[1], "exec") == 0))
        bind_now(argv); /* these hold tokens while they answer */
    if (argc < 2)
        return print_usage(NULL);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0)
        return print_help();
    if (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0) {
        puts("janus-sidecar " JANUS_VERSION);
        return 0;
    }
    return run_command(argc - 1, argv + 1);
}
