#include "tests/flow/kit_memory.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "tests/flow/kit_bytes.h"
#include "tests/unit/stories.h"

/* ---- forms ---- */

enum { FORMS_MAX = 16, PIECE = 1024 * 1024, OVERLAP = 64 * 1024 };

struct form {
    const char *name;
    struct bytes bytes;
};

struct forms {
    struct form items[FORMS_MAX];
    size_t n;
};

static struct bytes *form_new(struct forms *forms, const char *name)
{
    assert_true(forms->n < FORMS_MAX);
    struct form *form = &forms->items[forms->n++];
    *form = (struct form){ .name = name };
    return &form->bytes;
}

/* Those of `set` become `escape` and what `digits` says, or themselves without digits. */
static void add_escaped(struct forms *forms, const char *name, const char *secret, const char *set,
                        const char *escape, const char *digits)
{
    struct bytes *bytes = form_new(forms, name);

    for (; *secret; secret++) {
        bool in_set = strchr(set, *secret) != NULL;
        if (in_set)
            bytes_print(bytes, "%s", escape);
        if (in_set && digits)
            bytes_print(bytes, "%c%c", digits[*secret >> 4], digits[*secret & 15]);
        else
            bytes_add(bytes, secret, 1);
    }
}

/* Behind `before` bytes of something else; what shares a character with a neighbour is left off. */
static void add_base64(struct forms *forms, const char *secret, size_t before, bool url)
{
    size_t len = strlen(secret), n = before + len;
    unsigned char *plain = calloc(1, n + 3), *coded = calloc(1, (n + 3) * 2);

    assert_non_null(plain);
    assert_non_null(coded);
    memcpy(plain + before, secret, len);
    EVP_EncodeBlock(coded, plain, (int)n);
    size_t first = (before * 8 + 5) / 6, end = n * 8 / 6;
    for (size_t i = first; url && i < end; i++)
        coded[i] = coded[i] == '+' ? '-' : coded[i] == '/' ? '_' : coded[i];
    bytes_add(form_new(forms, url ? "base64url" : "base64"), coded + first, end - first);
    free(plain);
    free(coded);
}

static void forms_of(struct forms *forms, const char *secret)
{
    static const char marks[] = "!#$%&'()*+/:<=>?@[]^`{|}";

    forms->n = 0;
    bytes_print(form_new(forms, "raw"), "%s", secret);
    add_escaped(forms, "percent", secret, marks, "%", "0123456789ABCDEF");
    add_escaped(forms, "percent, small", secret, marks, "%", "0123456789abcdef");
    add_escaped(forms, "JSON", secret, "/", "\\", NULL);
    add_escaped(forms, "JSON, escaped", secret, "<>&'", "\\u00", "0123456789abcdef");
    for (size_t i = 0; i < 6; i++)
        add_base64(forms, secret, i / 2, i % 2);
}

static void forms_free(struct forms *forms)
{
    for (size_t i = 0; i < forms->n; i++)
        bytes_free(&forms->items[i].bytes);
    forms->n = 0;
}

static const char *find_form(const struct forms *forms, const void *bytes, size_t n)
{
    for (size_t i = 0; i < forms->n; i++) {
        if (memmem(bytes, n, forms->items[i].bytes.at, forms->items[i].bytes.n))
            return forms->items[i].name;
    }
    return NULL;
}

const char *memory_form_in(const char *secret, const void *bytes, size_t n)
{
    struct forms forms;

    forms_of(&forms, secret);
    const char *name = find_form(&forms, bytes, n);
    forms_free(&forms);
    return name;
}

/* ---- memory ---- */

struct mapping {
    unsigned long long from, to;
    bool readable, locked; /* hidden from dumps, and kept out of swap if the system lets us */
    char name[128];
};

static int open_memory(const struct process *process)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/mem", (int)process_id(process));
    return open(path, O_RDONLY | O_CLOEXEC);
}

bool memory_is_readable(const struct process *process)
{
    int fd = open_memory(process);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* "7f0d37b00000-7f0d37be3000 r--p 00000000 fe:00 247498     /usr/lib/libc.so.6": it begins with two hex
 * numbers, as no other line does. */
static bool is_first_line(const char *line, struct mapping *mapping)
{
    char *end;
    unsigned long long from = strtoull(line, &end, 16), to;

    if (end == line || *end != '-')
        return false;
    to = strtoull(end + 1, &end, 16);
    if (*end != ' ')
        return false;
    const char *slash = strpbrk(end, "/[");
    mapping->from = from;
    mapping->to = to;
    mapping->readable = end[1] == 'r';
    snprintf(mapping->name, sizeof(mapping->name), "%.*s", slash ? (int)strcspn(slash, "\n") : 0,
             slash ? slash : "");
    return true;
}

/* The next one in /proc/PID/smaps, which ends with its VmFlags. */
static bool next_mapping(FILE *smaps, struct mapping *mapping)
{
    char line[512];

    while (fgets(line, sizeof(line), smaps)) {
        if (is_first_line(line, mapping))
            continue;
        if (strncmp(line, "VmFlags:", 8) == 0) {
            mapping->locked = strstr(line, " dd") != NULL;
            return true;
        }
    }
    return false;
}

/* The name of a form in this mapping; pieces overlap by what the longest form could be cut by. */
static const char *look_into(int fd, const struct mapping *mapping, const struct forms *forms)
{
    static char bytes[PIECE];
    const char *found = NULL;
    unsigned long long at = mapping->from;

    while (!found && at < mapping->to) {
        unsigned long long left = mapping->to - at;
        ssize_t n = pread(fd, bytes, left < PIECE ? (size_t)left : PIECE, (off_t)at);
        if (n <= 0)
            break; /* the kernel's own */
        found = find_form(forms, bytes, (size_t)n);
        at += (unsigned long long)(n > OVERLAP && at + (unsigned long long)n < mapping->to
                                       ? n - OVERLAP
                                       : n);
    }
    return found;
}

/* Where a form stands, told in `said`. */
static bool search(const struct process *process, const char *secret, enum memory_where where,
                   struct bytes *said)
{
    struct mapping mapping;
    struct forms forms;
    char path[64];
    bool any = false;
    int fd = open_memory(process);

    snprintf(path, sizeof(path), "/proc/%d/smaps", (int)process_id(process));
    FILE *smaps = fopen(path, "re");
    assert_true(fd >= 0);
    assert_non_null(smaps);
    forms_of(&forms, secret);
    while (next_mapping(smaps, &mapping)) {
        if (!mapping.readable || (where == MEMORY_UNLOCKED && mapping.locked))
            continue;
        const char *form = look_into(fd, &mapping, &forms);
        any = any || form;
        if (form)
            bytes_print(said, "  %s, %s%s\n", form, mapping.name[0] ? mapping.name : "anonymous",
                        mapping.locked ? ", locked" : "");
    }
    forms_free(&forms);
    fclose(smaps);
    close(fd);
    return any;
}

void memory_is_clean(const struct process *process, const char *secret, enum memory_where where)
{
    struct bytes said = { 0 };

    if (search(process, secret, where, &said))
        fail_msg("%s is in its memory:\n%s", secret, said.at);
    bytes_free(&said);
}

bool memory_holds(const struct process *process, const char *secret)
{
    struct bytes said = { 0 };
    bool held = search(process, secret, MEMORY_ANYWHERE, &said);

    bytes_free(&said);
    return held;
}
