/* proxy/sandbox.h - what the process gives up, for good, before it serves: whoever takes it over by a flaw in it
 * finds little to do.
 *
 *   capabilities   all but those that reading other users' files needs (root only)
 *   Landlock       files are read below named folders only; nothing is written, but for the log's file, or run; no
 *                  TCP connection is made
 *   seccomp        the system calls of sandbox_calls.c and no others: no program, no process, no TCP socket
 *
 * Connections and programs come from another process of ours (helper.h). Call all of this before there are
 * threads: those that come later inherit it. */
#ifndef PROXY_SANDBOX_H
#define PROXY_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

struct sandbox;

/* What of it the process keeps. */
struct sandbox_needs {
    bool connects; /* makes TCP connections: the helper */
    bool syslog;   /* opens datagram sockets of the Unix kind, for a daemon that was started anew */
    pid_t signals; /* of a child that it may signal and wait for; 0: none */
};

struct sandbox *sandbox_new(struct sandbox_needs needs);
void sandbox_free(struct sandbox *sandbox);

/* The file at `path`, whatever is renamed to it and wherever links on the way lead, as long as it stays beside
 * where it is now: the right is on folders. False: it stands in the root folder, and so only this very file may be
 * read, or it is not there. */
bool sandbox_read_file(struct sandbox *sandbox, const char *path);
/* All below `path`; false: there is no such folder. */
bool sandbox_read_folder(struct sandbox *sandbox, const char *path);
/* The file at `path` may be created and written to, and with it any other in its folder. */
void sandbox_write_file(struct sandbox *sandbox, const char *path);
/* A file in `path` may be removed. */
void sandbox_remove_in(struct sandbox *sandbox, const char *path);

enum { SANDBOX_TEXT_MAX = 64 };
/* From here on. True if all of it is in force; `out` says what is: "landlock:7,seccomp", "seccomp", "none". */
bool sandbox_enter(struct sandbox *sandbox, char out[SANDBOX_TEXT_MAX]);

#endif
