/* exec: a sidecar around one app. The app ends, and so do we, with its status. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/memory.h"
#include "proxy/commands.h"
#include "proxy/sidecar.h"

enum { EXIT_UNUSABLE = 2 };

/* A port of its own, so that several run side by side; flags and the environment may say another, the
 * settings file may not: it belongs to all of them. */
static void choose_ports(void)
{
    static const char *const names[] = { "JANUS_LISTEN", "JANUS_ADMIN" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *given = getenv(names[i]);

        if (!given || !*given)
            setenv(names[i], "127.0.0.1:0", 1);
    }
}

static int find_app(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0)
            return i + 1 < argc ? i + 1 : 0;
    }
    return 0;
}

int command_exec(int argc, char **argv)
{
    struct diags diags = { 0 };
    int app = find_app(argc, argv), exit_code = EXIT_UNUSABLE;
    struct sidecar_guest guest = { .argv = argv + app };

    if (!app) {
        fputs("janus-sidecar: error: exec: expects options, --, and the app with its arguments\n",
              stderr);
        return EXIT_UNUSABLE;
    }
    choose_ports();
    sidecar_guest_prepare(&guest);
    struct settings *settings = settings_load(app - 1, argv, NULL, &diags);
    struct sidecar *sidecar = diags.fatal == 0 ? sidecar_new(settings, &diags) : NULL;
    diags_print(&diags, stderr);
    if (sidecar) {
        sidecar_settings_from(sidecar, (struct settings_source){ app - 1, argv });
        exit_code = sidecar_run_beside(sidecar, &guest);
    }
    sidecar_free(sidecar);
    settings_free(settings);
    diags_fini(&diags);
    return exit_code;
}
