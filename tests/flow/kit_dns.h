/* tests/flow/kit_dns.h - a name server on loopback, UDP and TCP, that says what its zone says, in a thread of
 * its own.
 *
 * A zone is lines of NAME TYPE TTL DATA, with TYPE A, AAAA or CNAME; several lines are several records. What
 * has none is NXDOMAIN, what has others NODATA; both with an SOA whose TTL is that of a line `. SOA TTL .`, 60
 * without, and no SOA at all with `-`. Instead of a TTL a line may have a word, for a server that misbehaves:
 *
 *   !servfail !refused !formerr   says that
 *   !drop       says nothing
 *   !cut        over UDP says only that the answer is too long (TC); over TCP what the zone's other lines say
 *   !late       what the zone's other lines say, DATA milliseconds later
 *   !loop       a record whose name is a compression pointer to itself
 *   !garbage    bytes that are no message
 *   !short      a record that ends before its data do
 *   !other      an address, but of a name that nobody asked for
 *   !stranger   an answer with another id, and nothing after it
 *   !question   an answer to another question, and nothing after it
 *
 * Nothing here fails the test but what says so. */
#ifndef TESTS_FLOW_KIT_DNS_H
#define TESTS_FLOW_KIT_DNS_H

#include <stdbool.h>
#include <stdint.h>

struct dns_server;

struct dns_server *dns_server_new(const char *zone);
void dns_server_free(struct dns_server *server);
uint16_t dns_server_port(const struct dns_server *server);
/* From the next question on. */
void dns_server_say(struct dns_server *server, const char *zone);

/* How often it was asked for a name and type ("A"; "*" is any), by UDP and TCP together. */
unsigned dns_server_asked(struct dns_server *server, const char *name, const char *type);
unsigned dns_server_asked_by_tcp(struct dns_server *server);
/* Waits until it was asked so often; fails the test if that does not come to pass. */
void dns_server_await(struct dns_server *server, const char *name, const char *type, unsigned n);

#endif
