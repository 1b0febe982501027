/* proxy/caller.h - who may call: users of this machine, by what the kernel says of a Unix socket's other
 * end, and whoever knows a secret, by the header X-Janus-Caller.
 *
 * Of the secret only a digest is kept. Its file is watched; content that cannot be used leaves the old
 * secret in force, and without any nobody is known. */
#ifndef PROXY_CALLER_H
#define PROXY_CALLER_H

#include <stdbool.h>

#include "config/diag.h"
#include "config/settings.h"
#include "config/text.h"

struct callers;
struct log;
struct loop;

/* What is wrong with --caller-secret-file. */
void callers_check(const struct settings *settings, struct diags *diags);

/* Borrows all. Never NULL. */
struct callers *callers_new(const struct settings *settings, struct loop *loop, struct log *log);
void callers_free(struct callers *callers);

/* By --allow-uid and --allow-gid; root and our own user always may, for they could look into this process
 * anyway. True for every peer that is not at a Unix socket, and without those options. */
bool callers_admit(const struct callers *callers, int fd);
/* By --caller-secret-file; true without it. Takes the same time whatever the secret is. */
bool callers_know(const struct callers *callers, struct text secret);

#endif
