/* tests/bench/wire.h - what the bench's own programs share: loopback sockets, readiness, the clock.
 *
 * They are measured beside, not for themselves: whatever fails ends the program with a sentence. */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdnoreturn.h>
#include <sys/types.h>

noreturn void wire_die(const char *what);

uint64_t wire_now_ns(void);

/* A non-blocking listener on 127.0.0.1 at a port of the system's choice. */
int wire_listen(uint16_t *port);
/* A non-blocking client of `listener`, or -1. */
int wire_accept(int listener);
/* A connected, non-blocking socket to 127.0.0.1. */
int wire_connect(uint16_t port);

/* Level-triggered; `events` are EPOLLIN, EPOLLOUT. */
void wire_watch(int epoll, int fd, uint32_t events, void *context);
void wire_rewatch(int epoll, int fd, uint32_t events, void *context);

/* As many descriptors as the system lets us have. */
void wire_many_files(void);

/* Name of an option at argv[i], and its value: `--name VALUE`. */
const char *wire_option(int argc, char **argv, const char *name, const char *otherwise);
uint64_t wire_number(int argc, char **argv, const char *name, uint64_t otherwise);

#endif
