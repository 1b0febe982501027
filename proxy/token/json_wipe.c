#include "proxy/token/json_wipe.h"

#include <jansson.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>

static void wipe_and_free(void *memory)
{
    if (!memory)
        return;
    OPENSSL_cleanse(memory, malloc_usable_size(memory));
    free(memory);
}

void json_wipe(void)
{
    json_set_alloc_funcs(malloc, wipe_and_free);
}
