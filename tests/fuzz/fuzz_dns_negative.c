/* A name server's "no". What must hold: nothing is read outside the message; a TTL is one that stands in it,
 * with its highest bit clear; and a beginning of the message never says more than the whole. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/origin/dns_negative.h"

#define CHECK(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static bool stands_in(const unsigned char *data, size_t size, uint32_t ttl_s)
{
    for (size_t i = 0; i + 4 <= size; i++) {
        uint32_t here = (uint32_t)data[i] << 24 | (uint32_t)data[i + 1] << 16 |
                        (uint32_t)data[i + 2] << 8 | data[i + 3];
        if (here == ttl_s || (ttl_s == 0 && here > INT32_MAX))
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    uint32_t ttl_s = 0, of_beginning = 0;

    if (!dns_negative_ttl(data, size, &ttl_s))
        ttl_s = UINT32_MAX;
    else
        CHECK(ttl_s <= INT32_MAX && stands_in(data, size, ttl_s));
    if (size > 0) {
        unsigned char *beginning = malloc(size - 1 + 1);
        CHECK(beginning != NULL);
        memcpy(beginning, data, size - 1);
        if (dns_negative_ttl(beginning, size - 1, &of_beginning))
            CHECK(of_beginning == ttl_s);
        free(beginning);
    }
    return 0;
}
