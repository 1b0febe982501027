/* proxy/command_junit.h - a report in the form that CI servers read (JUnit's XML).
 *
 * Written beside its name and renamed at the end, so that nobody takes half a report for a whole one.
 * An XML library would bring more than it saves: all that is written is ASCII, where five characters
 * are escaped, and every other byte takes the printable form that it has in our other messages. */
#ifndef PROXY_COMMAND_JUNIT_H
#define PROXY_COMMAND_JUNIT_H

#include "config/diag.h"
#include "config/text.h"

struct junit;

enum junit_kind { JUNIT_PASSED, JUNIT_FAILED, JUNIT_SKIPPED, JUNIT_ERROR, N_JUNIT_KINDS };

/* Borrows `file`. NULL with a fatal finding when it cannot be written. */
struct junit *junit_open(const char *file, struct diags *diags);

/* `type` and `message` say why it did not pass. */
void junit_case(struct junit *junit, enum junit_kind kind, const char *class_name, struct text name,
                const char *type, const char *message);

/* Finishes the report, and frees. False when it could not be written: then there is none, and a
 * sentence on standard error. */
bool junit_close(struct junit *junit);
/* No report; what stood under its name stays. NULL is fine. */
void junit_discard(struct junit *junit);

#endif
