/* proxy/sidecar.h - the process: owns what lives as long as it does, and wires front to exchange.
 *
 * Reload is: build new, check, swap. What cannot be built leaves in force what runs. */
#ifndef PROXY_SIDECAR_H
#define PROXY_SIDECAR_H

#include <sys/resource.h>

#include "config/diag.h"
#include "config/settings.h"
#include "proxy/sidecar_settings.h"

struct sidecar;

/* Everything that can be wrong is found before it returns: manifest, trust, token file, addresses.
 * NULL if a finding is fatal. Borrows `settings`, and changes it when it is reloaded. */
struct sidecar *sidecar_new(struct settings *settings, struct diags *diags);
/* Where a reload finds the settings; without it they stay as they are. */
void sidecar_settings_from(struct sidecar *sidecar, struct settings_source source);
void sidecar_free(struct sidecar *sidecar);

/* Says "ready ..." on standard error and serves until SIGTERM or SIGINT has been followed by a
 * drain. Returns the exit code: 0, or 1 if a second signal cut it short. */
int sidecar_run(struct sidecar *sidecar);

/* The app that exec runs. */
struct sidecar_guest {
    char **argv;
    struct rlimit files, core;
};
/* First of all: notes our limits, and holds signals back. */
void sidecar_guest_prepare(struct sidecar_guest *guest);
/* As sidecar_run(), but that signals are the app's, and its end is what begins the drain. Returns its status as a
 * shell tells it. */
int sidecar_run_beside(struct sidecar *sidecar, const struct sidecar_guest *guest);

#endif
