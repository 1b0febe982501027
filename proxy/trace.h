/* proxy/trace.h - the traceparent header of W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context-1/).
 *
 * It passes as it came; what is read of it stands in the log, so that a request can be followed from one log to
 * the next. Only where an operator says so (--trace make) one is made for a request that has none. Pure, but for the
 * random numbers of trace_make(). */
#ifndef PROXY_TRACE_H
#define PROXY_TRACE_H

#include <stdbool.h>

#include "config/text.h"

enum { TRACE_ID_CHARS = 32, TRACE_PARENT_CHARS = 16, TRACE_TEXT_CHARS = 55 };

/* Both with a NUL; id[0] == '\0': there is none. */
struct trace {
    char id[TRACE_ID_CHARS + 1];
    char parent[TRACE_PARENT_CHARS + 1];
};

/* False, and `out` is empty, if the value is not of that form (sections 3.2.2 and 4.3). */
bool trace_parse(struct text value, struct trace *out);
/* A new one that nobody can guess. */
void trace_make(struct trace *out);
/* "00-ID-PARENT-01": the sampled flag says that it was recorded, in our log. */
struct text trace_text(const struct trace *trace, char out[TRACE_TEXT_CHARS + 1]);

#endif
