/* tests/janus/record.h - what arrived, kept for the tests that ask.
 *
 * One arrival a request, counted: the exchange in progress holds one reference, the ring another,
 * so an entry can leave the ring while its body still comes in. The ring is bounded both in
 * entries and in bytes; the oldest go first. */
#ifndef TESTS_JANUS_RECORD_H
#define TESTS_JANUS_RECORD_H

#include <jansson.h>
#include <openssl/evp.h>

#include "tests/janus/head.h"

enum {
    RECORD_ENTRIES_MAX = 1000,
    RECORD_BYTES_MAX = 8 * 1024 * 1024,
    BODY_TEXT_MAX = 4096,      /* of a body, in echo and record */
    BODY_KEEP_MAX = 64 * 1024, /* of a body, for the routes that read it */
    SNI_MAX = 255,
    DIGEST_HEX = 65 /* SHA-256 in hexadecimal, with its NUL */
};

enum arrival_end { ARRIVAL_OPEN, ARRIVAL_ANSWERED, ARRIVAL_ABORTED };

/* How it came: facts of the connection. The strings are OpenSSL's, static. */
struct channel {
    char sni[SNI_MAX + 1]; /* "" if the client sent none */
    const char *tls, *cipher;
    bool resumed;
    unsigned long connection, request; /* serials: of the connection, and on that connection */
};

struct arrival {
    unsigned refs;
    struct text raw; /* the head, owned; `head` points into it */
    struct head head;
    const char *fault; /* of a malformed head or body, static; NULL */
    struct channel channel;
    EVP_MD_CTX *digest; /* while the body comes in */
    struct text kept;   /* the first BODY_KEEP_MAX bytes of the body, owned; later only the text */
    uint64_t body_len;
    bool body_complete;
    char sha256[DIGEST_HEX];
    const char *route; /* static */
    int status;        /* of our answer, 0 before it */
    enum arrival_end end;
};

/* Takes `raw` (malloc'ed). Never NULL. */
struct arrival *arrival_new(struct text raw, const struct channel *channel);
struct arrival *arrival_ref(struct arrival *arrival);
void arrival_unref(struct arrival *arrival);

void arrival_add_body(struct arrival *arrival, struct text piece);
/* No more body will come; `complete` if it ended as its framing said. */
void arrival_end_body(struct arrival *arrival, bool complete);
/* The routes have read the body: drops all but what the record shows. */
void arrival_settle(struct arrival *arrival, enum arrival_end end);

/* What the echo answers; the record adds "route", "status" and "end". New references. */
json_t *arrival_json(const struct arrival *arrival);

struct record; /* the ring */

struct record *record_new(void);
void record_free(struct record *record);
void record_add(struct record *record, struct arrival *arrival);
void record_clear(struct record *record);
/* All entries, oldest first. A new reference. */
json_t *record_json(const struct record *record);

/* Ends and frees `digest` (SHA-256). */
void digest_finish(EVP_MD_CTX *digest, char hex[DIGEST_HEX]);

/* Bytes as JSON text without loss: every byte becomes the character of that number (Latin-1). */
json_t *json_latin1(struct text bytes);

#endif
