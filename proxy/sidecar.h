/* proxy/sidecar.h - the process: owns what lives as long as it does, and wires front to exchange.
 *
 * Reload is: build new, check, swap. What cannot be built leaves in force what runs. */
#ifndef PROXY_SIDECAR_H
#define PROXY_SIDECAR_H

#include "config/diag.h"
#include "config/settings.h"

struct sidecar;

/* Everything that can be wrong is found before it returns: manifest, trust, token file, addresses.
 * NULL if a finding is fatal. Borrows `settings`. */
struct sidecar *sidecar_new(const struct settings *settings, struct diags *diags);
void sidecar_free(struct sidecar *sidecar);

/* Says "ready ..." on standard error and serves until SIGTERM or SIGINT has been followed by a
 * drain. Returns the exit code: 0, or 1 if exchanges had to be cut at --drain-timeout. */
int sidecar_run(struct sidecar *sidecar);

#endif
