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

/* What is known of the secret: no more than a digest. */
enum { CALLER_DIGEST_BYTES = 32 };
struct caller_secret {
    bool known; /* there is one */
    unsigned char digest[CALLER_DIGEST_BYTES];
};
/* Another thread has callers, and settings, of its own; they watch nothing and are told: */
struct callers *callers_share(const struct callers *callers, const struct settings *settings);
/* by whoever follows this one, */
void callers_follow(struct callers *callers, void (*changed)(void *context), void *context);
struct caller_secret callers_secret(const struct callers *callers);
void callers_adopt(struct callers *callers, const struct caller_secret *secret);

/* By --allow-uid and --allow-gid; root and our own user always may, for they could look into this process
 * anyway. True for every peer that is not at a Unix socket, and without those options. */
bool callers_admit(const struct callers *callers, int fd);
/* By --caller-secret-file; true without it. Takes the same time whatever the secret is. */
bool callers_know(const struct callers *callers, struct text secret);

#endif
