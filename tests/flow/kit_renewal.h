/* tests/flow/kit_renewal.h - a token file whose change nobody is told of, and what leaves with which
 * token.
 *
 *   hush()   gives the token file of a world a second name, in a folder that is not watched
 *   slip()   writes through that name: the sidecar learns of it only when it reads the file again,
 *            which it does (but for its slow poll) when a 401 makes it
 *   hold()   opens the file for writing through that name, so that whoever reads it again finds that
 *            somebody is at work; the test writes and closes */
#ifndef TESTS_FLOW_KIT_RENEWAL_H
#define TESTS_FLOW_KIT_RENEWAL_H

#include "tests/flow/kit_world.h"

#define OLD TOKEN
#define NEW "another-token-of-the-flow-tests"

#define STORE     "Host: storeacct.vtexcommercestable.com.br\r\n"
#define GET_STORE "GET /api/x HTTP/1.1\r\n" STORE "\r\n"
#define OK        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define REFUSAL   "HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\n\r\nsorry"

#define RENEWED    "janus-sidecar; details=\"the app token was refused, renewed and sent again\""
#define NOT_AGAIN  "janus-sidecar; details=\"the app token was refused; not sent again\""
#define BOTH       "janus-sidecar; details=\"the app token was refused, another one too\""
#define ONE_BEFORE "janus-sidecar; details=\"the app token was refused, the one before it taken\""

/* A world whose token is known and whose file is hushed; without an overlap unless the plan has options. */
void renewal_open(struct world *world, const struct plan *plan);
/* world_close(), and neither token ever stood in the log. */
void renewal_close(struct world *world);
void hush(struct world *world);
void slip(struct world *world, const char *token);
int hold(struct world *world); /* a descriptor */
void release(int fd, const char *token);

/* A request's body as it came, whatever its framing; `head` says which. The caller frees. */
struct bytes body_of(struct origin_conn *conn, const char *head);
/* A copy of `text` with every `old` as `new`. The caller frees. */
char *replaced(const char *text, const char *old, const char *new);

/* Reads a request that must be `first` with NEW where OLD was, and must have that body. */
void expect_again(struct origin_conn *conn, const char *first, const struct bytes *body);
/* Says GET_STORE over a new connection: it must go as `token`, and is answered 200. */
void goes_as(struct world *world, const char *token);
/* The origin has been connected to so often, and nobody has more to say to it. */
void expect_connections(const struct world *world, unsigned n);

#endif
