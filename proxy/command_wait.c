/* wait: until the sidecar at --admin says that it is ready. For whoever starts after it. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "proxy/command_admin.h"
#include "proxy/command_parts.h"
#include "proxy/commands.h"
#include "proxy/loop.h"

enum { IS_READY = 0, NOT_READY = 1, UNUSABLE = 2, POLL_MS = 50 };

/* "30s", "500ms", "2m" */
static bool time_of(struct text text, unsigned long long *ms)
{
    struct text number = { text.at, text.len - (text_ends(text, TEXT("ms")) ? 2 : 1) };
    unsigned long long unit = text_ends(text, TEXT("ms"))  ? 1
                              : text_ends(text, TEXT("s")) ? 1000
                              : text_ends(text, TEXT("m")) ? 60000
                                                           : 0;

    if (!unit || text.len < 2 || !text_to_uint(number, 24 * 60 * 60 * 1000ULL / unit, ms))
        return false;
    *ms *= unit;
    return true;
}

static int wait_until_ready(const struct listen_address *admin, unsigned long long max_ms)
{
    static char answer[ADMIN_ANSWER_MAX];
    uint64_t deadline = loop_now_us() + max_ms * 1000;
    unsigned status;

    while ((status = command_ask_admin(admin, "GET", "/readyz", answer)) != 200) {
        if (loop_now_us() >= deadline) {
            fprintf(stderr, "janus-sidecar: not ready: %s\n",
                    status ? answer : "nobody answers at --admin");
            return NOT_READY;
        }
        poll(NULL, 0, POLL_MS);
    }
    return IS_READY;
}

/* Nothing is judged here, so no account is needed. */
static bool is_usable(const struct settings *settings, const struct diags *diags)
{
    size_t fatal = diags->fatal - (settings->account == NULL && diags->fatal > 0);

    return fatal == 0 && settings->admin.kind != LISTEN_SYSTEMD;
}

int command_wait(int argc, char **argv)
{
    struct diags diags = { 0 };
    const char *given = command_take_value(&argc, argv, "--max", &diags);
    struct settings *settings = settings_load(argc, argv, NULL, &diags);
    unsigned long long max_ms = 30000;
    int exit_code = UNUSABLE;

    if (given && !time_of(text_of(given), &max_ms))
        diag_fatal(&diags, (struct place){ .file = "--max" },
                   "must be a time, such as 500ms or 30s");
    if (settings->admin.kind == LISTEN_SYSTEMD)
        diag_fatal(&diags, (struct place){ .file = "--admin" },
                   "name the address itself to wait for");
    if (is_usable(settings, &diags))
        exit_code = wait_until_ready(&settings->admin, max_ms);
    else
        diags_print(&diags, stderr);
    settings_free(settings);
    diags_fini(&diags);
    return exit_code;
}
