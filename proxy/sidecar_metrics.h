/* proxy/sidecar_metrics.h - what /metrics says: the rows, and where each number comes from. Pure. */
#ifndef PROXY_SIDECAR_METRICS_H
#define PROXY_SIDECAR_METRICS_H

#include "proxy/sidecar_ready.h"

/* OpenMetrics text, which the caller frees. */
char *sidecar_metrics(const struct readiness_facts *facts);

#endif
