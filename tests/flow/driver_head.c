/* Our reading of request heads, for the differential test (tests/differential/heads.js).
 *
 * Standard input: heads, each behind its length (four bytes, the highest first). Standard output, a
 * line a head: "R REASON", or "A FRAMING LENGTH KEEP MINOR" and then method, target, and each name and
 * value in hex; FRAMING is none, length or chunked. */
#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "policy/destination.h"
#include "proxy/http/framing.h"
#include "proxy/http/head.h"
#include "proxy/limits.h"

static void print_hex(struct text bytes)
{
    putchar(' ');
    putchar('x');
    for (size_t i = 0; i < bytes.len; i++)
        printf("%02x", (unsigned char)bytes.at[i]);
}

static void print_head(const struct head *head, const struct framing *framing)
{
    static const char *const kinds[] = { "none", "length", "chunked", "close" };

    printf("A %s %llu %d %u", kinds[framing->kind], (unsigned long long)framing->length,
           head->keep_alive, head->minor);
    print_hex(head->method);
    print_hex(head->target);
    for (size_t i = 0; i < head->n_headers; i++) {
        print_hex(head->headers[i].name);
        print_hex(head->headers[i].value);
    }
    putchar('\n');
}

/* What a head's target and Host mean is read by another part; what that refuses is no accepted head. */
static bool has_destination(const struct head *head, const char **why)
{
    static const struct destination_rules rules = { .default_host = "default.example" };
    struct destination_request request = { .method = head->method,
                                           .target = head->target,
                                           .host = head_value(head, HEADER_HOST) };
    struct destination where;

    *why = "Host is missing or stands there twice";
    return (head->count[HEADER_HOST] == 1 || (head->count[HEADER_HOST] == 0 && head->minor == 0)) &&
           destination_of(&rules, &request, &where, why) == DESTINATION_OK;
}

static void judge(struct text bytes)
{
    struct head_scan scan = { 0 };
    struct framing framing;
    const char *why = "it has no end";
    struct head head;
    size_t end;

    if (head_end(&scan, bytes, &end, &why) != HEAD_OK || end != bytes.len ||
        head_parse_request(text_span(bytes.at + scan.start, bytes.at + end), &head, &why) !=
            HEAD_OK ||
        framing_of_request(&head, &framing, &why) != FRAMING_OK || !has_destination(&head, &why))
        printf("R %s\n", why ? why : "too large");
    else
        print_head(&head, &framing);
}

int main(void)
{
    unsigned char size[4];

    while (fread(size, 1, sizeof(size), stdin) == sizeof(size)) {
        size_t n = (size_t)size[0] << 24 | (size_t)size[1] << 16 | (size_t)size[2] << 8 | size[3];
        if (n > LIMIT_HEAD_BYTES)
            return 2;
        char *bytes = mem_alloc(n + 1, 1);
        if (fread(bytes, 1, n, stdin) != n)
            return 2;
        judge((struct text){ bytes, n });
        free(bytes);
    }
    return 0;
}
