#include "proxy/mailbox.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/loop.h"

struct letter {
    STAILQ_ENTRY(letter) link;
    void (*read)(void *context, void *what);
    void *context, *what;
};
STAILQ_HEAD(letters, letter);

struct mailbox {
    pthread_mutex_t lock; /* of `letters`: held for a few instructions */
    struct letters letters;
    int bell; /* an eventfd: rings for the first letter, the others lie there already */
    struct event *rung;
};

static void ring(int bell)
{
    uint64_t once = 1;

    if (write(bell, &once, sizeof(once)) != (ssize_t)sizeof(once))
        abort(); /* a counter that has just been at zero cannot be full */
}

/* The bell first: who posts after that rings it again. */
void mailbox_read(struct mailbox *mailbox)
{
    struct letters letters = STAILQ_HEAD_INITIALIZER(letters);
    struct letter *letter;
    uint64_t n;

    if (read(mailbox->bell, &n, sizeof(n)) < 0)
        return; /* it has not rung */
    pthread_mutex_lock(&mailbox->lock);
    STAILQ_CONCAT(&letters, &mailbox->letters);
    pthread_mutex_unlock(&mailbox->lock);
    while ((letter = STAILQ_FIRST(&letters))) {
        STAILQ_REMOVE_HEAD(&letters, link);
        letter->read(letter->context, letter->what);
        free(letter);
    }
}

static void on_rung(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    mailbox_read(arg);
}

void mailbox_post(struct mailbox *mailbox, void (*read)(void *context, void *what), void *context,
                  void *what)
{
    struct letter *letter = mem_alloc(1, sizeof(*letter));

    *letter = (struct letter){ .read = read, .context = context, .what = what };
    pthread_mutex_lock(&mailbox->lock);
    if (STAILQ_EMPTY(&mailbox->letters))
        ring(mailbox->bell);
    STAILQ_INSERT_TAIL(&mailbox->letters, letter, link);
    pthread_mutex_unlock(&mailbox->lock);
}

struct mailbox *mailbox_new(struct loop *loop)
{
    struct mailbox *mailbox = mem_alloc(1, sizeof(*mailbox));

    pthread_mutex_init(&mailbox->lock, NULL);
    STAILQ_INIT(&mailbox->letters);
    mailbox->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (mailbox->bell < 0)
        abort();
    mailbox->rung =
        event_new(loop_base(loop), mailbox->bell, EV_READ | EV_PERSIST, on_rung, mailbox);
    event_add(mailbox->rung, NULL);
    return mailbox;
}

void mailbox_free(struct mailbox *mailbox)
{
    if (!mailbox)
        return;
    mailbox_read(mailbox);
    event_free(mailbox->rung);
    close(mailbox->bell);
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
}
