/* tests/flow/kit_process.h - a child of the test: one of our programs.
 *
 * Looked for in $JANUS_BIN_DIR, else beside the test itself. It dies with the test, whatever
 * happens. What it writes is collected during every wait (kit_wait.h). */
#ifndef TESTS_FLOW_KIT_PROCESS_H
#define TESTS_FLOW_KIT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct process;

enum { NOBODY = 65534 };

enum process_log {
    LOG_INTO_PIPE,
    LOG_INTO_FILE,
    LOG_INTO_TERMINAL,
    LOG_INTO_NOTHING /* no descriptor at all, as after 2>&- */
};

struct process_plan {
    const char *folder;         /* of the program; NULL: as above */
    const char *work_folder;    /* where it runs; NULL: here */
    const char *program;        /* "janus-sidecar" */
    const char *const *options; /* ended by NULL */
    const char *input;          /* standard input; NULL: none */
    const char *hosts;          /* a file that it finds as /etc/hosts; NULL: the machine's own */
    unsigned max_files;         /* descriptors it may have, RLIMIT_NOFILE; 0: as many as we */
    const char *const *environment; /* more of it, NAME=value, ended by NULL; NULL: no more */
    enum process_log log;           /* what its standard error is */
    int handed[2];                  /* descriptors of ours that it finds as 3 and 4; 0: none */
    bool nobody;                    /* it runs as the user nobody; we must be root for that */
    bool dumps;                     /* it may write core dumps of any size, if we may */
};

struct process *process_start(const struct process_plan *plan);
/* Whether a child can be given /etc/hosts here (mount namespaces). */
bool process_may_have_hosts(const char *hosts);
/* Kills what still runs. */
void process_free(struct process *process);

pid_t process_id(const struct process *process);
void process_signal(const struct process *process, int number);
/* Waits for the end. The exit code, or 256 + the signal's number. */
int process_wait(struct process *process);

/* Everything so far; borrowed until the next wait. */
const char *process_output(const struct process *process);
const char *process_log(const struct process *process);
/* Lets go of what was logged so far, lest a long run's log fill the test's memory. */
void process_forget_log(struct process *process);
/* Nobody reads the log any more: its pipe has no other end. */
void process_close_log(struct process *process);

/* Waits for a line on standard error that holds `needle`, behind the last line that was awaited.
 * Returns the line, which the caller frees. Fails the test if the process ends without it. */
char *process_await(struct process *process, const char *needle);
/* The same, for those who need no more of the line. */
void process_await_line(struct process *process, const char *needle);

/* The most memory the process ever had in use (VmHWM), in KiB. */
size_t process_peak_kib(const struct process *process);
/* What it has in use now (VmRSS), in KiB. */
size_t process_now_kib(const struct process *process);
/* Descriptors that it has open. */
size_t process_descriptors(const struct process *process);

/* The processor time that it has used. */
long process_cpu_ms(const struct process *process);

/* The folder of our programs; borrowed. */
const char *process_folder(void);

#endif
