/* proxy/mailbox.h - how another thread asks a loop to do something: a letter, read in the loop's own turn.
 *
 * What one thread posts is read in that order. Posting locks for a moment and may wake the loop, so it is
 * for what happens now and then (a reload, a new token, a 401), never for the path of a request. What is on
 * that path is to look whether there is a letter, which is to read a byte that hardly ever changes. */
#ifndef PROXY_MAILBOX_H
#define PROXY_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>

struct loop;
struct mailbox;

struct mailbox *mailbox_new(struct loop *loop);
/* On the loop's thread, when nobody posts any more. Reads what is left first. */
void mailbox_free(struct mailbox *mailbox);

/* From any thread: `read(context, what)` will be called on the loop's. */
void mailbox_post(struct mailbox *mailbox, void (*read)(void *context, void *what), void *context,
                  void *what);
/* The same for several at once, `whats[i]` to the i-th: whoever reads his finds that the others have theirs. */
struct addressee {
    struct mailbox *mailbox;
    void *context, *what;
};
void mailbox_post_all(const struct addressee *to, size_t n,
                      void (*read)(void *context, void *what));

/* On the loop's thread: has anything come that was posted before what we know of? */
bool mailbox_has_mail(const struct mailbox *mailbox);
/* On the loop's thread: reads now what has come. */
void mailbox_read(struct mailbox *mailbox);

#endif
