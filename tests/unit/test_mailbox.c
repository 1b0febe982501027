/* Letters between threads: none is lost, each thread's come in order, and what is posted to all is in every
 * mailbox before anybody can read it. */
#include <event2/event.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "proxy/loop.h"
#include "proxy/mailbox.h"
#include "tests/unit/stories.h"

enum { POSTERS = 4, LETTERS = 5000 };

struct post {
    struct mailbox *mailbox;
    struct loop *loop;
    size_t next[POSTERS]; /* the number that each poster's next letter must have */
    size_t n_read;
};

struct poster {
    struct post *post;
    size_t number;
};

static void on_letter(void *context, void *what)
{
    const struct poster *poster = context;
    struct post *post = poster->post;

    assert_int_equal((size_t)(uintptr_t)what, post->next[poster->number]);
    post->next[poster->number]++;
    if (++post->n_read == (size_t)POSTERS * LETTERS)
        event_base_loopbreak(loop_base(post->loop));
}

static void *write_letters(void *arg)
{
    struct poster *poster = arg;

    for (size_t i = 0; i < LETTERS; i++)
        mailbox_post(poster->post->mailbox, on_letter, poster, (void *)(uintptr_t)i);
    return NULL;
}

static void in_order(void **state)
{
    struct post post = { .loop = loop_new() };
    struct poster posters[POSTERS];
    pthread_t threads[POSTERS];

    (void)state;
    post.mailbox = mailbox_new(post.loop);
    for (size_t i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){ &post, i };
        assert_int_equal(pthread_create(&threads[i], NULL, write_letters, &posters[i]), 0);
    }
    event_base_dispatch(loop_base(post.loop));
    for (size_t i = 0; i < POSTERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(post.next[i], LETTERS);
    }
    assert_false(mailbox_has_mail(post.mailbox));
    mailbox_free(post.mailbox);
    loop_free(post.loop);
}

/* ---- to all ---- */

static void on_news(void *context, void *what)
{
    const struct addressee *others = what;

    (void)context;
    for (size_t i = 1; others && i < POSTERS; i++)
        assert_true(mailbox_has_mail(others[i].mailbox));
}

static void to_all(void **state)
{
    struct loop *loop = loop_new();
    struct addressee to[POSTERS] = { { 0 } };

    (void)state;
    for (size_t i = 0; i < POSTERS; i++)
        to[i].mailbox = mailbox_new(loop);
    to[0].what = to;
    mailbox_post_all(to, POSTERS, on_news);
    for (size_t i = 0; i < POSTERS; i++)
        assert_true(mailbox_has_mail(to[i].mailbox));
    mailbox_read(to[0].mailbox);
    assert_false(mailbox_has_mail(to[0].mailbox));
    for (size_t i = 0; i < POSTERS; i++)
        mailbox_free(to[i].mailbox);
    loop_free(loop);
}

/* ---- a letter is read once, also by whoever looks before its event ---- */

static void count(void *context, void *what)
{
    (void)what;
    ++*(int *)context;
}

static void posts_another(void *context, void *what)
{
    ++*(int *)context;
    mailbox_post(what, count, context, NULL);
}

static void read_early(void **state)
{
    struct loop *loop = loop_new();
    struct mailbox *mailbox = mailbox_new(loop);
    int n = 0;

    (void)state;
    mailbox_read(mailbox); /* there is none */
    mailbox_post(mailbox, posts_another, &n, mailbox);
    mailbox_read(mailbox);
    assert_int_equal(n, 1);
    assert_true(mailbox_has_mail(mailbox)); /* its own, for another time */
    event_base_loop(loop_base(loop), EVLOOP_NONBLOCK);
    assert_int_equal(n, 2);
    event_base_loop(loop_base(loop), EVLOOP_NONBLOCK);
    assert_int_equal(n, 2);
    mailbox_post(mailbox, count, &n, NULL);
    mailbox_free(mailbox); /* reads what is left */
    assert_int_equal(n, 3);
    loop_free(loop);
}

int main(void)
{
    static struct stories stories;

    stories_add(&stories, "each poster's letters come in order, and all of them", in_order, NULL);
    stories_add(&stories, "what is for all is with all before it is read", to_all, NULL);
    stories_add(&stories, "who looks early reads once", read_early, NULL);
    return stories_run("mailbox", &stories);
}
