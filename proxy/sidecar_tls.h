/* proxy/sidecar_tls.h - trust and our certificates while the process lives: read again on SIGHUP, and when one of
 * their files changes. */
#ifndef PROXY_SIDECAR_TLS_H
#define PROXY_SIDECAR_TLS_H

#include "proxy/origin/tls.h"

struct log;
struct loop;
struct tls_watch;

/* Follows the files that `settings` names now, TLS_WATCHES_MAX at most (the others wait for SIGHUP): begin anew when
 * they name others. Borrows all. `changed`: something else is in force now; it is said when that returns. What cannot
 * be used leaves all as it was. */
enum { TLS_WATCHES_MAX = 16 };
struct tls_watch *tls_watch_new(struct tls *tls, const struct settings *settings, struct loop *loop,
                                struct log *log, void (*changed)(void *context), void *context);
/* Reads them, and the system's trust, if any has changed, and says what came of it, again too. */
void tls_watch_look(struct tls_watch *watch);
void tls_watch_free(struct tls_watch *watch); /* NULL is fine */

#endif
