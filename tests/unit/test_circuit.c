/* Circuits: when an address is left alone, when it is probed, and what is remembered. */
#include "tests/unit/stories.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/limits.h"
#include "proxy/origin/circuit.h"

static struct sockaddr_in6 six_of(const char *text, uint16_t port)
{
    struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

    inet_pton(AF_INET6, text, &address.sin6_addr);
    return address;
}

static struct sockaddr_in four_of(const char *text, uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };

    inet_pton(AF_INET, text, &address.sin_addr);
    return address;
}

/* What is done, letter by letter, to one address of one host:
 *   f fails  z is silent  s connects  a answers  l is left  ? is asked for and must be allowed  ! must not be allowed
 *   a digit lets so many seconds pass  w lets a window pass  m lets a millisecond pass
 * Failing, connecting and leaving follow an attempt that was allowed before. */
static struct script {
    const char *name;
    unsigned failures;
    const char *does;
    unsigned open; /* afterwards */
} scripts[] = {
    { "unknown", 5, "?", 0 },
    { "one failure", 5, "f?", 0 },
    { "four failures", 5, "ffff?", 0 },
    { "five failures", 5, "fffff!", 1 },
    { "five failures with a success between", 5, "ffffsf?", 0 },
    { "five failures too far apart", 5, "ffffwf?", 0 },
    { "a window begins anew with a late failure", 5, "ffffwffff?f!", 1 },
    { "failures in a row, each near the one before", 3, "f9f9f!", 1 },
    { "the first failure is enough", 1, "f!", 1 },
    { "never", 0, "ffffffffff?", 0 },
    { "closed until its time is over", 1, "f!!!1?", 1 },
    { "one probe only", 1, "f1?!!", 1 },
    { "a probe that succeeds", 1, "f1?s???", 0 },
    { "a probe that fails: twice as long", 1, "f1?f1!1?", 1 },
    { "a probe that was given up: another", 1, "f1?!l?!", 1 },
    { "a success by somebody who began before", 1, "fs??", 0 },
    { "failures by those who began before", 5, "fffffff!1?", 1 },
    { "after a success it takes all failures again", 2, "ff1?sf?f!", 1 },
    { "1, 2, 4, 8, 16, then 30 seconds", 1, "f1?f2?f4?f8?f9!7?f9!9!9!3?f9!9!9!2!1?", 1 },
    { "left without having been asked", 5, "l?", 0 },
    { "silent again and again, each time behind a connection", 3, "szszsz!", 1 },
    { "silent four times, then an answer", 5, "szszszszasz?", 0 },
    { "silences of a minute, one after the other", 3, "sz9999993sz9999993sz!", 1 },
    { "silences too far apart", 3, "szszwwwsz?", 0 },
    { "a connection ends the failures, not the silences", 3, "zzfsf!", 1 },
    { "and without silences it ends all", 3, "ffsff?", 0 },
    { "a probe that connects has not yet been answered", 1, "z1?s!!", 1 },
    { "a probe that is answered", 1, "z1?sa??", 0 },
    { "a probe that is silent: twice as long", 1, "z1?sz1!1?", 1 },
    { "a probe that is left before the answer: another", 1, "z1?sl?!", 1 },
    { "a probe that cannot connect: twice as long", 1, "z1?f1!1?s!", 1 },
    { "open for want of connections: one is enough, and silences stay", 3, "zff1?s?f?f!", 1 },
    { "an answer over a kept connection closes it", 1, "z!a?", 0 },
    { "an answer from somebody unknown", 1, "a?", 0 },
};

static uint64_t seconds(unsigned n)
{
    return (uint64_t)n * 1000;
}

static void test_script(void **state)
{
    const struct script *row = *state;
    struct circuits *circuits = circuits_new(row->failures);
    struct sockaddr_in address = four_of("192.0.2.1", 443);
    const struct sockaddr *at = (const struct sockaddr *)&address;
    uint64_t now = 1000000, left; /* silences have lasted a minute */

    for (const char *c = row->does; *c; c++) {
        if (*c == 'f')
            circuit_failed(circuits, "a", at, CIRCUIT_UNREACHABLE, now, now);
        else if (*c == 'z')
            circuit_failed(circuits, "a", at, CIRCUIT_SILENT, now - 60000, now);
        else if (*c == 's')
            circuit_connected(circuits, "a", at);
        else if (*c == 'a')
            circuit_answered(circuits, "a", at);
        else if (*c == 'l')
            circuit_left(circuits, "a", at);
        else if (*c == 'w')
            now += CIRCUIT_WINDOW_MS + 1;
        else if (*c >= '0' && *c <= '9')
            now += seconds((unsigned)(*c - '0'));
        else if (circuit_allows(circuits, "a", at, now, &left) != (*c == '?'))
            fail_msg("%s: letter %d", row->does, (int)(c - row->does) + 1);
    }
    assert_int_equal(circuits_n_open(circuits), row->open);
    circuits_free(circuits);
}

/* One that failed and one that did not: are they two? */
static struct pair {
    const char *name, *host, *other_host;
    const char *address, *other_address;
    uint16_t port, other_port;
    bool same;
} pairs[] = {
    { "the same", "a", "a", "192.0.2.1", "192.0.2.1", 443, 443, true },
    { "another host at the same address", "a", "b", "192.0.2.1", "192.0.2.1", 443, 443, false },
    { "another address", "a", "a", "192.0.2.1", "192.0.2.2", 443, 443, false },
    { "another port", "a", "a", "192.0.2.1", "192.0.2.1", 443, 8443, false },
    { "the same, IPv6", "a", "a", "2001:db8::1", "2001:db8::1", 443, 443, true },
    { "another address, IPv6", "a", "a", "2001:db8::1", "2001:db8::2", 443, 443, false },
    { "IPv4 and IPv6", "a", "a", "0.0.0.0", "::", 443, 443, false },
};

static const struct sockaddr *address_of(const char *text, uint16_t port, struct sockaddr_in6 *six,
                                         struct sockaddr_in *four)
{
    *six = six_of(text, port);
    *four = four_of(text, port);
    return strchr(text, ':') ? (const struct sockaddr *)six : (const struct sockaddr *)four;
}

static void test_pair(void **state)
{
    const struct pair *row = *state;
    struct circuits *circuits = circuits_new(1);
    struct sockaddr_in6 six;
    struct sockaddr_in four;
    uint64_t left;

    assert_int_equal(circuit_failed(circuits, row->host,
                                    address_of(row->address, row->port, &six, &four),
                                    CIRCUIT_UNREACHABLE, 1, 1),
                     CIRCUIT_OPEN_MS);
    assert_int_equal(circuit_allows(circuits, row->other_host,
                                    address_of(row->other_address, row->other_port, &six, &four), 1,
                                    &left),
                     !row->same);
    assert_int_equal(left, row->same ? CIRCUIT_OPEN_MS : 0);
    circuits_free(circuits);
}

/* The one that failed longest ago is forgotten, whatever it was. */
static void test_table_is_bounded(void **state)
{
    struct circuits *circuits = circuits_new(1);
    struct sockaddr_in address = four_of("192.0.2.1", 1);
    const struct sockaddr *at = (const struct sockaddr *)&address;
    char host[16];
    uint64_t left;

    (void)state;
    for (int i = 0; i <= LIMIT_CIRCUITS; i++) {
        snprintf(host, sizeof(host), "h%d", i);
        circuit_failed(circuits, host, at, CIRCUIT_UNREACHABLE, 1, 1);
    }
    assert_int_equal(circuits_n_open(circuits), LIMIT_CIRCUITS);
    assert_true(circuit_allows(circuits, "h0", at, 1, &left));
    assert_false(circuit_allows(circuits, "h1", at, 1, &left));
    assert_false(circuit_allows(circuits, host, at, 1, &left));
    circuits_free(circuits);
    circuits_free(NULL);
}

static struct single singles[] = {
    { "the table is bounded", test_table_is_bounded },
};

static void run_single(void **state)
{
    const struct single *row = *state;

    row->run(state);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, scripts, test_script);
    STORIES_ADD(&stories, pairs, test_pair);
    STORIES_ADD(&stories, singles, run_single);
    return stories_run("circuit", &stories);
}
