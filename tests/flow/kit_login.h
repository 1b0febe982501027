/* tests/flow/kit_login.h - the world of a login: login-driver (driver_login.c), and the origin that it
 * takes for VTEX ID. There is one scene at a time. */
#ifndef TESTS_FLOW_KIT_LOGIN_H
#define TESTS_FLOW_KIT_LOGIN_H

#include "tests/flow/kit_files.h"
#include "tests/flow/kit_origin.h"
#include "tests/flow/kit_process.h"

#define APPKEY   "vtexappkey-storeacct-ABCDEF"
#define APPTOKEN "APPTOKENSECRETXYZ"
#define HOST     "storeacct.vtexcommercestable.com.br"
#define LEAK     "LEAK" /* stands wherever something must not be said */

#define OK        "HTTP/1.1 200 OK\r\n"
#define LENGTH(n) "Content-Length: " #n "\r\n\r\n"
#define GOOD_BODY "{\"authStatus\":\"Success\",\"token\":\"good-token\",\"expires\":4102444800}"
#define ARRIVED   "arrived good-token 4102444800"
#define WRONG                                                                                      \
    "the app key or its token is wrong, or it is switched off in the account's License Manager"
#define INCOMPLETE "failed the origin closed the connection before its response was complete"

enum { OPTIONS_MAX = 16 };

struct login_plan {
    const char *words[OPTIONS_MAX]; /* first, so that variables may be among them */
    bool no_files;                  /* the pair is in `words`, or nowhere */
    bool closed;                    /* without --allow-address */
    bool other_port;                /* nobody listens there */
    enum certificate_kind certificate;
};

extern struct login_scene {
    struct folder *folder;
    struct origin *origin;
    struct process *driver;
} scene;

/* `plan` may be NULL. */
void login_begin(const struct login_plan *plan);
/* The driver alone, in scene.folder, towards 127.0.0.1:port. */
void login_start_driver(const struct login_plan *plan, uint16_t port);
/* Sends the driver a signal, and waits until it has done what that says. */
void login_order(int number);
/* Exactly these words; or they begin so, if what is wanted ends in three dots. */
void login_expect_words(const char *words, const char *want);
/* Its next answer is that. */
void login_answers(const char *want);
/* Neither the pair nor LEAK is in what it has said. */
void login_holds_no_secret(void);
/* SIGTERM, and an end without a fault, a leak or a secret. */
void login_end(void);
/* For the teardown of every story. */
int login_discard(void **state);

/* ---- the origin's side of the dialogue */

/* The next request is the one for this body, byte for byte. */
void login_expect_pair(struct origin_conn *conn, const char *body);
void login_expect(struct origin_conn *conn);
/* Asks the driver to log in; its request has come over a new connection. */
struct origin_conn *login_asked(void);
void login_say_with_length(struct origin_conn *conn, const char *head, const char *body);
void login_say_good(struct origin_conn *conn);

#endif
