#include "tests/janus/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_all(int fd, const char *content, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, content, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        content += n;
        len -= (size_t)n;
    }
    return true;
}

bool replace_file(const char *path, unsigned mode, const char *content, size_t len)
{
    char *beside = NULL;
    bool done = false;
    int fd;

    if (asprintf(&beside, "%s.XXXXXX", path) < 0)
        abort();
    fd = mkostemp(beside, O_CLOEXEC);
    if (fd >= 0) {
        done = write_all(fd, content, len) && fchmod(fd, mode) == 0;
        done = close(fd) == 0 && done && rename(beside, path) == 0;
        if (!done)
            unlink(beside);
    }
    free(beside);
    return done;
}
