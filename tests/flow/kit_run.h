/* tests/flow/kit_run.h - one run of a command of janus-sidecar, from beginning to end. */
#ifndef TESTS_FLOW_KIT_RUN_H
#define TESTS_FLOW_KIT_RUN_H

#include "tests/flow/kit_files.h"
#include "tests/flow/kit_process.h"

struct run {
    struct folder *folder; /* where it stands; the test's to make */
    struct process *process;
    int code;
};

/* `options` holds words with blanks between them. Another run may follow in the same folder. */
void run_in(struct run *run, const char *options, const char *input);
void run_end(struct run *run);

void expect_code(const struct run *run, int code);
/* Fails the test unless `want` stands in `text`. */
void expect_in(const char *text, const char *want);

#endif
