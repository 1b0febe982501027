/* Landlock (linux/landlock.h, Documentation/userspace-api/landlock.rst of the kernel). Its constants are younger
 * than many a distribution's headers, so those that we use stand here. */
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/sandbox_parts.h"
#include "proxy/watch.h"

enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446, RULE_PATH_BENEATH = 1 };

enum {
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIR = 1 << 3,
    REMOVE_FILE = 1 << 5,
    MAKE_FILE = 1 << 8,
    FILE_RIGHTS = 13,             /* of ABI 1: execute to make_sym */
    NET_TCP = 1 << 0 | 1 << 1,    /* bind and connect: ABI 4 */
    SCOPE_ABSTRACT_UNIX = 1 << 0, /* ABI 6 */
    SCOPE_SIGNAL = 1 << 1,
};

struct ruleset_attr {
    uint64_t files, net, scoped;
};

struct __attribute__((packed)) path_beneath {
    uint64_t access;
    int32_t fd;
};

/* ---- rights ---- */

static bool allow(struct sandbox *sandbox, const char *path, uint64_t access)
{
    struct stat status;
    int fd = open(path, O_PATH | O_CLOEXEC);

    if (fd < 0)
        return false;
    if (fstat(fd, &status) == 0 && !S_ISDIR(status.st_mode))
        access &= READ_FILE; /* the kernel refuses a file the rights of a folder */
    sandbox->rights = mem_grow(sandbox->rights, sandbox->n_rights, sizeof(*sandbox->rights));
    struct sandbox_right *right = &sandbox->rights[sandbox->n_rights++];
    right->fd = fd;
    right->access = access;
    return true;
}

bool sandbox_read_folder(struct sandbox *sandbox, const char *path)
{
    return allow(sandbox, path, READ_FILE | READ_DIR);
}

void sandbox_write_file(struct sandbox *sandbox, const char *path)
{
    char folder[PATH_MAX];

    snprintf(folder, sizeof(folder), "%s", path);
    allow(sandbox, dirname(folder), WRITE_FILE | MAKE_FILE);
}

void sandbox_remove_in(struct sandbox *sandbox, const char *path)
{
    allow(sandbox, path, REMOVE_FILE);
}

/* The folder that holds `path`, or the nearest above it that is there; false where that is the root, which would
 * open everything. */
static bool allow_parent(struct sandbox *sandbox, const char *path)
{
    char parent[PATH_MAX], real[PATH_MAX] = "/";

    snprintf(parent, sizeof(parent), "%s", path);
    do {
        char *up = dirname(parent);
        if (up != parent)
            snprintf(parent, sizeof(parent), "%s", up);
    } while (!realpath(parent, real) && strcmp(parent, "/") != 0 && strcmp(parent, ".") != 0);
    return strcmp(real, "/") != 0 && sandbox_read_folder(sandbox, real);
}

/* A link on the way may be swapped for one that leads beside where it leads now. */
static void allow_beside(void *context, const char *link)
{
    char real[PATH_MAX];

    if (realpath(link, real))
        allow_parent(context, real);
}

bool sandbox_read_file(struct sandbox *sandbox, const char *path)
{
    char real[PATH_MAX];
    bool by_folder = allow_parent(sandbox, path);

    watch_each_link(path, allow_beside, sandbox);
    if (realpath(path, real))
        by_folder = allow_parent(sandbox, real) && by_folder;
    if (!by_folder)
        allow(sandbox, path, READ_FILE);
    return by_folder;
}

/* ---- in force ---- */

static int create_ruleset(const struct ruleset_attr *attr, size_t size)
{
    return (int)syscall(CREATE_RULESET, attr, size, 0);
}

static int abi_version(void)
{
    long abi = syscall(CREATE_RULESET, NULL, 0, 1 << 0);

    return abi > 0 ? (int)abi : 0;
}

static uint64_t handled_files(int abi)
{
    /* refer since ABI 2, truncate since 3, ioctl on devices since 5 */
    int n = FILE_RIGHTS + (abi >= 2) + (abi >= 3) + (abi >= 5);

    return (UINT64_C(1) << n) - 1;
}

static bool add_rights(int ruleset, const struct sandbox *sandbox)
{
    for (size_t i = 0; i < sandbox->n_rights; i++) {
        struct path_beneath rule = { sandbox->rights[i].access, sandbox->rights[i].fd };

        if (syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) != 0)
            return false;
    }
    return true;
}

int sandbox_restrict_files(const struct sandbox *sandbox)
{
    int abi = abi_version();
    struct ruleset_attr attr = { .files = handled_files(abi) };
    size_t size = abi >= 6   ? sizeof(attr)
                  : abi >= 4 ? offsetof(struct ruleset_attr, scoped)
                             : offsetof(struct ruleset_attr, net);

    if (!abi)
        return 0;
    if (!sandbox->needs.connects)
        attr.net = NET_TCP;
    attr.scoped = SCOPE_ABSTRACT_UNIX | (sandbox->needs.signals ? 0 : SCOPE_SIGNAL);
    int ruleset = create_ruleset(&attr, size);
    if (ruleset < 0)
        return 0;
    bool restricted = add_rights(ruleset, sandbox) && syscall(RESTRICT_SELF, ruleset, 0) == 0;
    close(ruleset);
    return restricted ? abi : 0;
}
