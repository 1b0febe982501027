/* Beside an app: exec. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "config/memory.h"
#include "proxy/app.h"
#include "proxy/sidecar_listeners.h"
#include "proxy/sidecar_parts.h"

struct guest_end {
    struct sidecar *sidecar;
    int status;
};

static void on_app_ended(void *context, int status)
{
    struct guest_end *end = context;

    end->status = status;
    sidecar_drain(end->sidecar, "the app has ended");
}

static void on_late_signal(void *context)
{
    sidecar_drain(((struct guest_end *)context)->sidecar, "a signal");
}

void sidecar_guest_prepare(struct sidecar_guest *guest)
{
    getrlimit(RLIMIT_NOFILE, &guest->files);
    getrlimit(RLIMIT_CORE, &guest->core);
    app_hold_signals();
}

/* Where the app finds us, and what it sends where the token is due. VTEX's clients speak http:// then; what
 * insists on https:// gets our 405, which says what to do, and not a way around us. */
static char **variables_of(const struct sidecar *sidecar, const char *address)
{
    static const char *const proxies[] = { "http_proxy", "HTTP_PROXY", "https_proxy",
                                           "HTTPS_PROXY" };
    enum { N_PROXIES = 4, N = 9, VALUE_MAX = 512 };
    const char *not = getenv("no_proxy");
    char **variables = mem_alloc(N + 1, sizeof(*variables)), admin[256] = "";

    for (size_t i = 0; i < N; i++)
        variables[i] = mem_alloc(VALUE_MAX, 1);
    for (size_t i = 0; i < N_PROXIES; i++)
        snprintf(variables[i], VALUE_MAX, "%s=http://%s", proxies[i], address);
    listeners_first(sidecar->listeners, true, admin, sizeof(admin));
    snprintf(variables[4], VALUE_MAX, "no_proxy=localhost,127.0.0.1,::1%s%s", not ? "," : "",
             not ? not : "");
    snprintf(variables[5], VALUE_MAX, "NO_PROXY=%s", variables[4] + strlen("no_proxy="));
    snprintf(variables[6], VALUE_MAX, "VTEX_IO=true");
    snprintf(variables[7], VALUE_MAX, "JANUS_PLACEHOLDER=%s", sidecar->settings->placeholder);
    snprintf(variables[8], VALUE_MAX, "JANUS_ADMIN=%s", admin);
    return variables;
}

static void free_variables(char **variables)
{
    for (size_t i = 0; variables[i]; i++)
        free(variables[i]);
    free(variables);
}

int sidecar_run_beside(struct sidecar *sidecar, const struct sidecar_guest *guest)
{
    static const char *const hidden[] = { "JANUS_APPKEY", "JANUS_APPTOKEN", "JANUS_LISTEN", NULL };
    struct guest_end end = { sidecar, 1 };
    char address[256];

    if (!listeners_first(sidecar->listeners, false, address, sizeof(address))) {
        fputs(
            "janus-sidecar: error: --listen: exec needs a port: http_proxy names no Unix socket\n",
            stderr);
        return EXIT_UNUSABLE;
    }
    char **variables = variables_of(sidecar, address);
    struct app_plan plan = { guest->argv, variables, hidden, guest->files, guest->core };
    struct app *app = app_start(sidecar->loop, &plan, on_app_ended, on_late_signal, &end);
    free_variables(variables);
    if (app && sidecar_serve(sidecar, app_pid(app)) == EXIT_UNUSABLE)
        end.status = EXIT_UNUSABLE;
    app_free(app);
    return end.status;
}
