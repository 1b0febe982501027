/* proxy/mailbox.h - how another thread asks a loop to do something: a letter, read in the loop's own turn.
 *
 * What one thread posts is read in that order. Posting locks for a moment and may wake the loop, so it is
 * for what happens now and then (a reload, a new token, a 401), never for the path of a request. */
#ifndef PROXY_MAILBOX_H
#define PROXY_MAILBOX_H

struct loop;
struct mailbox;

struct mailbox *mailbox_new(struct loop *loop);
/* On the loop's thread, when nobody posts any more. Reads what is left first. */
void mailbox_free(struct mailbox *mailbox);

/* From any thread: `read(context, what)` will be called on the loop's. */
void mailbox_post(struct mailbox *mailbox, void (*read)(void *context, void *what), void *context,
                  void *what);
/* On the loop's thread: reads now what has come. */
void mailbox_read(struct mailbox *mailbox);

#endif
