/* proxy/command_report.h - a file that a command writes for another program.
 *
 * Written beside its name and renamed at the end, so that nobody takes half a report for a whole one. */
#ifndef PROXY_COMMAND_REPORT_H
#define PROXY_COMMAND_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "config/diag.h"

struct report_file;

/* Borrows both texts; `option` is who asked for it ("--junit"). NULL with a fatal finding when it cannot
 * be written. */
struct report_file *report_file_open(const char *option, const char *file, struct diags *diags);
FILE *report_file_stream(struct report_file *report);

/* Puts the report in its place if `whole`, and frees. False when it could not be written: then there is
 * none, and a sentence on standard error. */
bool report_file_close(struct report_file *report, bool whole);
/* No report; what stood under its name stays. NULL is fine. */
void report_file_discard(struct report_file *report);

#endif
