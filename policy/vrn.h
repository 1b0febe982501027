/* policy/vrn.h - a resource of a provider's statement: vrn:{service}:{region}:{account}:{workspace}:{path}
 *
 * Templates are filled in, `{{*}}` is `*`; `*` stands for any run in every field. */
#ifndef POLICY_VRN_H
#define POLICY_VRN_H

#include <stdbool.h>

#include "config/template.h"
#include "config/text.h"

enum vrn_field { VRN_SERVICE, VRN_REGION, VRN_ACCOUNT, VRN_WORKSPACE, VRN_PATH, N_VRN_FIELDS };

struct vrn {
    char *filled;
    struct text field[N_VRN_FIELDS]; /* none is empty; the path begins with '/' or '*' */
};

/* False with the reason in `why` (static storage) when it cannot be read in one way only. vrn_fini()
 * is due whatever the result is. */
bool vrn_parse(struct text written, const struct template_values *values, struct vrn *out,
               const char **why);
void vrn_fini(struct vrn *vrn);

/* Does `field` cover `value`, in any case of letters? */
bool vrn_covers(struct text field, struct text value);

#endif
