/* proxy/notify.h - tells a service manager how we are (sd_notify(3)): a datagram to the socket that
 * NOTIFY_SOCKET names. Without that variable nothing is told.
 *
 * The three variables are taken out of the environment: no program that we run speaks for us. */
#ifndef PROXY_NOTIFY_H
#define PROXY_NOTIFY_H

struct loop;
struct notify;

/* Never NULL. With WATCHDOG_USEC it tells that the loop turns, at half of that time. */
struct notify *notify_new(struct loop *loop);
void notify_free(struct notify *notify);

void notify_ready(struct notify *notify);
void notify_reloading(struct notify *notify); /* READY follows when it is over */
void notify_stopping(struct notify *notify);

#endif
