/* policy/compile.h - what the compilers of host and path share. */
#ifndef POLICY_COMPILE_H
#define POLICY_COMPILE_H

#include "config/address.h"
#include "config/diag.h"
#include "config/manifest.h"
#include "config/template.h"

struct compiling {
    const struct manifest_policy *row;
    const struct template_values *values;
    struct diags *diags;
};

/* A text from the manifest, fit for a finding. */
enum { SHOWN_MAX = 120 };
struct shown {
    char text[SHOWN_MAX];
};
struct shown show(struct text value);

/* Fills in {{...}}; NULL after an error finding at `place`. The caller frees. `what` is "host",
 * "path". */
char *fill_template(const struct compiling *in, struct place place, const char *what,
                    struct text written);

struct host_spec {
    char host[HOST_MAX + 3]; /* canonical; IPv6 without brackets; may hold stars */
    uint16_t port;           /* 0: none named */
    struct text path;        /* what stood behind the first '/'; at == NULL: nothing did */
};

/* False after an error finding. `path` borrows from the row. */
bool compile_host(const struct compiling *in, struct host_spec *out);
/* The path pattern as text (the caller frees), or NULL after an error finding. */
char *compile_path(const struct compiling *in, const struct host_spec *host);

#endif
