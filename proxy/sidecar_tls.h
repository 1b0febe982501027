/* proxy/sidecar_tls.h - trust and our certificates while the process lives: read again on SIGHUP, and when one of
 * their files changes. */
#ifndef PROXY_SIDECAR_TLS_H
#define PROXY_SIDECAR_TLS_H

#include "proxy/origin/tls.h"

struct log;
struct loop;
struct tls_watch;

/* The system's trust, --ca-file and --client-cert, if any of their files has changed; says what came of it. What cannot
 * be used leaves all as it was. True if something else is in force now. */
bool sidecar_tls_reload(struct tls *tls, const struct settings *settings, struct log *log);

/* Follows the files that `settings` names now, TLS_WATCHES_MAX at most (the others wait for SIGHUP): begin anew when
 * they name others. Borrows all. `changed`: something else is in force now. */
enum { TLS_WATCHES_MAX = 16 };
struct tls_watch *tls_watch_new(struct tls *tls, const struct settings *settings, struct loop *loop,
                                struct log *log, void (*changed)(void *context), void *context);
void tls_watch_free(struct tls_watch *watch); /* NULL is fine */

#endif
