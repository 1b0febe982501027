/* A process that does not let itself be looked into cannot look into itself either: /proc/self belongs
 * to root then. So everything is done once more as the user nobody: the log to wherever, a watched
 * file, a program that prints a token, the end. */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/flow/kit_town.h"
#include "tests/flow/kit_world.h"

#define GET_STORE "GET /_sim/echo HTTP/1.1\r\nHost: " SIM_STORE "\r\n\r\n"

static void write_first(struct town *town)
{
    folder_write(town->folder, "token", "first-token");
    folder_write(town->folder, "program", "#!/bin/sh\ncat token\n");
    chmod(folder_name(town->folder, "program"), 0755);
}

static void goes_as(const struct town *town, const char *token)
{
    const struct response *response = town_ask(town, GET_STORE);

    expect_status(response, 200);
    assert_non_null(strstr(response->body.at, token));
    clients_close();
}

static struct row {
    const char *name;
    enum process_log log;
    bool asked; /* SIGHUP makes it look */
    const char *options[2];
} rows[] = {
    { "a file, the log into a pipe", LOG_INTO_PIPE, false, { "--token-file", "token" } },
    { "a file, the log into a file", LOG_INTO_FILE, false, { "--token-file", "token" } },
    { "a file, the log into a terminal", LOG_INTO_TERMINAL, false, { "--token-file", "token" } },
    { "a program", LOG_INTO_PIPE, true, { "--token-command", "./program" } },
    { "a program, the log into a file", LOG_INTO_FILE, true, { "--token-command", "./program" } },
};

static void served(void **state)
{
    const struct row *row = *state;
    struct town_plan plan = { .no_login = true,
                              .nobody = true,
                              .log = row->log,
                              .options = { "--scrub", "off", row->options[0], row->options[1] } };
    struct town town;

    if (geteuid() != 0) {
        print_message("skipped: only root may become another user\n");
        skip();
    }
    town_found(&town, &plan);
    write_first(&town);
    town_start(&town, &plan);
    town_await_generation(&town, 1);
    goes_as(&town, "first-token");
    process_await_line(town.sidecar, "outcome=relayed");
    folder_write(town.folder, "token", "second-token");
    if (row->asked)
        process_signal(town.sidecar, SIGHUP);
    town_await_generation(&town, 2);
    goes_as(&town, "second-token");
    process_await_line(town.sidecar, "outcome=relayed");
    town_close(&town);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, rows, served);
    return flow_run("nobody", &stories, NULL, NULL);
}
