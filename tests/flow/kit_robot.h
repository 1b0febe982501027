/* tests/flow/kit_robot.h - an origin that answers on its own: a thread a connection, and what it does
 * with a request stands in the request's X-Script header (kit_script.h).
 *
 * It holds a request against its sender: a body must be what X-Body says, a foreign host must not see
 * the token, a store must see one that is not too old (or it answers 401). What is wrong is kept as a
 * sentence; nothing here fails the test. */
#ifndef TESTS_FLOW_KIT_ROBOT_H
#define TESTS_FLOW_KIT_ROBOT_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/flow/kit_certificate.h"

/* Tokens of robots are this and a number. */
#define ROBOT_TOKEN "robot-token-number-"

struct robot;

/* `tls` NULL: without; else it is the robot's now. Listens on 127.0.0.1. */
struct robot *robot_new(SSL_CTX *tls);
void robot_free(struct robot *robot);
uint16_t robot_port(const struct robot *robot);

/* Stores answer 401 to tokens with a smaller number. */
void robot_want_token(struct robot *robot, unsigned number);
/* Leaves on all connections, and waits until that is done. */
void robot_hang_up(struct robot *robot);

struct robot_counts {
    unsigned connections, requests, refusals, faults;
};
struct robot_counts robot_counts(struct robot *robot);
/* The first thing that was wrong, or NULL. Borrowed. */
const char *robot_complaint(struct robot *robot);

#endif
