/* proxy/sidecar_metrics.h - what /metrics says: the rows, and where each number comes from. Pure. */
#ifndef PROXY_SIDECAR_METRICS_H
#define PROXY_SIDECAR_METRICS_H

#include "proxy/metrics.h"
#include "proxy/sidecar_ready.h"

/* The text, which the caller frees. */
char *sidecar_metrics(enum metrics_form form, const struct readiness_facts *facts);

/* docs/metrics.md is made by this, and a test compares them. */
void sidecar_metrics_print(FILE *out);
/* True if a sample of that name can be there: for dashboards and alert rules. */
bool sidecar_metrics_have(const char *sample);

#endif
