#include "proxy/mailbox.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>
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
    atomic_bool mail; /* there are some */
    int bell;         /* an eventfd: rings for the first letter, the others lie there already */
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

    if (read(mailbox->bell, &n, sizeof(n)) < 0 && !mailbox_has_mail(mailbox))
        return; /* it has not rung */
    pthread_mutex_lock(&mailbox->lock);
    STAILQ_CONCAT(&letters, &mailbox->letters);
    atomic_store_explicit(&mailbox->mail, false, memory_order_relaxed);
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

/* Locked. */
static void put(struct mailbox *mailbox, struct letter *letter)
{
    if (STAILQ_EMPTY(&mailbox->letters))
        ring(mailbox->bell);
    STAILQ_INSERT_TAIL(&mailbox->letters, letter, link);
    atomic_store_explicit(&mailbox->mail, true, memory_order_release);
}

/* Nobody else locks two, so any order is good. */
void mailbox_post_all(const struct addressee *to, size_t n, void (*read)(void *context, void *what))
{
    for (size_t i = 0; i < n; i++)
        pthread_mutex_lock(&to[i].mailbox->lock);
    for (size_t i = 0; i < n; i++) {
        struct letter *letter = mem_alloc(1, sizeof(*letter));
        *letter = (struct letter){ .read = read, .context = to[i].context, .what = to[i].what };
        put(to[i].mailbox, letter);
    }
    for (size_t i = 0; i < n; i++)
        pthread_mutex_unlock(&to[i].mailbox->lock);
}

void mailbox_post(struct mailbox *mailbox, void (*read)(void *context, void *what), void *context,
                  void *what)
{
    struct addressee to = { mailbox, context, what };

    mailbox_post_all(&to, 1, read);
}

bool mailbox_has_mail(const struct mailbox *mailbox)
{
    return atomic_load_explicit(&mailbox->mail, memory_order_acquire);
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
