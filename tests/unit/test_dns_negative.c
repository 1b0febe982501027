/* How long "no" may be believed: what is read of a message, and what of it is refused. */
#include "tests/unit/stories.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/origin/dns_negative.h"

/* Parts of messages. Texts, so that what follows a number is not taken for a part of it. */
#define HEAD(questions, answers, authority)                                                        \
    "\x12\x34\x81\x83\0" questions "\0" answers "\0" authority "\0\0"
#define QUESTION                                                                                   \
    "\1a\4test\0"                                                                                  \
    "\0\1\0\1"
#define POINTER   "\xc0\x0c"
#define TO_ITSELF "\xc0\x0c"
#define SOA(ttl, minimum)                                                                          \
    "\0\6\0\1" ttl "\0\x16"                                                                        \
    "\0"                                                                                           \
    "\0"                                                                                           \
    "\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1" minimum
#define A_RECORD  "\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1"
#define CNAME     "\0\5\0\1\0\0\0\x3c\0\2\xc0\x0c"
#define NS_RECORD "\0\2\0\1\0\0\0\x3c\0\1\0"
#define TTL_60    "\0\0\0\x3c"
#define TTL_300   "\0\0\1\x2c"
#define TTL_HIGH  "\x80\0\0\1"

static struct message {
    const char *name, *bytes;
    size_t len;
    int64_t ttl_s; /* -1: none is found */
} messages[] = {
#define MESSAGE(text) text, sizeof(text) - 1
    { "MINIMUM is less", MESSAGE(HEAD("\1", "\0", "\1") QUESTION POINTER SOA(TTL_300, TTL_60)),
      60 },
    { "the TTL is less", MESSAGE(HEAD("\1", "\0", "\1") QUESTION POINTER SOA(TTL_60, TTL_300)),
      60 },
    { "a root's name", MESSAGE(HEAD("\1", "\0", "\1") QUESTION "\0" SOA(TTL_60, TTL_60)), 60 },
    { "a name that begins anew and ends elsewhere",
      MESSAGE(HEAD("\1", "\0", "\1") QUESTION "\1b" POINTER SOA(TTL_60, TTL_60)), 60 },
    { "behind an alias",
      MESSAGE(HEAD("\1", "\1", "\1") QUESTION POINTER CNAME POINTER SOA(TTL_60, TTL_60)), 60 },
    { "behind another authority",
      MESSAGE(HEAD("\1", "\0", "\2") QUESTION POINTER NS_RECORD POINTER SOA(TTL_60, TTL_60)), 60 },
    { "without a question", MESSAGE(HEAD("\0", "\0", "\1") "\0" SOA(TTL_60, TTL_60)), 60 },
    { "a TTL with its highest bit set",
      MESSAGE(HEAD("\1", "\0", "\1") QUESTION POINTER SOA(TTL_HIGH, TTL_60)), 0 },
    { "a MINIMUM with its highest bit set",
      MESSAGE(HEAD("\1", "\0", "\1") QUESTION POINTER SOA(TTL_60, TTL_HIGH)), 0 },
    { "a pointer to itself is stepped over",
      MESSAGE(HEAD("\0", "\0", "\1") TO_ITSELF SOA(TTL_60, TTL_60)), 60 },
    { "nothing", "", 0, -1 },
    { "half a head", MESSAGE("\x12\x34\x81\x83\0\1"), -1 },
    { "a head alone", MESSAGE(HEAD("\0", "\0", "\0")), -1 },
    { "no authority", MESSAGE(HEAD("\1", "\0", "\0") QUESTION), -1 },
    { "an authority that is not there", MESSAGE(HEAD("\1", "\0", "\1") QUESTION), -1 },
    { "an SOA among the answers",
      MESSAGE(HEAD("\1", "\1", "\0") QUESTION POINTER SOA(TTL_60, TTL_60)), -1 },
    { "another authority alone", MESSAGE(HEAD("\1", "\0", "\1") QUESTION POINTER NS_RECORD), -1 },
    { "an address as authority", MESSAGE(HEAD("\1", "\0", "\1") QUESTION POINTER A_RECORD), -1 },
    { "a question without an end", MESSAGE(HEAD("\1", "\0", "\1") "\1a\4te"), -1 },
    { "a label of a kind that nobody knows",
      MESSAGE(HEAD("\1", "\0", "\1") "\x41"
                                     "a\0\0\1\0\1"
                                     "\0" SOA(TTL_60, TTL_60)),
      -1 },
    { "data that are cut short",
      MESSAGE(HEAD("\1", "\0", "\1") QUESTION POINTER "\0\6\0\1\0\0\0\x3c\0\x16\0\0\0"), -1 },
    { "an SOA that is too short",
      MESSAGE(HEAD("\1", "\0", "\1") QUESTION POINTER "\0\6\0\1\0\0\0\x3c\0\4\0\0\0\1"), -1 },
    { "half a pointer", MESSAGE(HEAD("\1", "\0", "\1") QUESTION "\xc0"), -1 },
    { "more questions than there are", MESSAGE(HEAD("\2", "\0", "\1") QUESTION), -1 },
    { "more answers than there are", MESSAGE(HEAD("\1", "\2", "\1") QUESTION POINTER A_RECORD),
      -1 },
};

/* In memory of just that size, so that a sanitizer sees whoever reads on. */
static bool read_copy(const char *bytes, size_t len, uint32_t *ttl_s)
{
    uint8_t *copy = malloc(len ? len : 1);

    assert_non_null(copy);
    memcpy(copy, bytes, len);
    bool found = dns_negative_ttl(copy, len, ttl_s);
    free(copy);
    return found;
}

static void message_is_read(void **state)
{
    const struct message *row = *state;
    uint32_t ttl_s = 0;

    assert_int_equal(read_copy(row->bytes, row->len, &ttl_s), row->ttl_s >= 0);
    if (row->ttl_s >= 0)
        assert_int_equal(ttl_s, row->ttl_s);
    for (size_t len = 0; len < row->len; len++) /* every beginning of it is refused, quietly */
        assert_false(read_copy(row->bytes, len, &ttl_s));
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, messages, message_is_read);
    return stories_run("dns_negative", &stories);
}
