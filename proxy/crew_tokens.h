/* proxy/crew_tokens.h - a desk of tokens on a worker's thread, whose office is a messenger to the keeper on
 * the main loop.
 *
 *   main loop                             letters                       worker's thread
 *   keeper --- a new token, a longer life ---- a copy of it ---------->  desk
 *          <-- somebody needs one -------------------------------------  missing
 *          <-- generation N was refused, was taken at ... -------------  asks
 *          --- that is all there is to say of N ---------------------->  whoever waits is told
 *
 * At most one question of a desk is open, so however many requests meet a 401 the keeper hears of it once
 * from each worker, and asks its source once. A token is copied for each desk: a thread counts its own. */
#ifndef PROXY_CREW_TOKENS_H
#define PROXY_CREW_TOKENS_H

#include <stddef.h>

struct loop;
struct mailbox;
struct messenger;
struct settings;
struct token;
struct token_desk;
struct token_keeper;

/* On the main loop, before the thread begins. Borrows all. `loop`: the worker's, to which `to_desk` belongs. */
struct messenger *messenger_new(struct token_keeper *keeper, struct mailbox *to_keeper,
                                struct loop *loop, struct mailbox *to_desk,
                                const struct settings *settings);
/* The end: on the worker's thread, when its exchanges have ended; on the main loop, when the thread has, after
 * which nothing is posted to it; and when the keeper's mailbox is empty. */
void messenger_leave(struct messenger *messenger);
void messenger_close(struct messenger *messenger);
void messenger_free(struct messenger *messenger);

struct token_desk *messenger_desk(struct messenger *messenger);
/* On the main loop: this one is current, or lives longer than it did; to all, at once. */
void messengers_put(struct messenger *const *messengers, size_t n, const struct token *current);

#endif
