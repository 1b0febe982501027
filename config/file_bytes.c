#include "config/file_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/memory.h"

/* Reads up to `room` bytes; true if all went well, end of file included. */
static bool read_all(int fd, char *buffer, size_t room, size_t *len)
{
    *len = 0;
    while (*len < room) {
        ssize_t n = read(fd, buffer + *len, room - *len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0)
            break;
        *len += (size_t)n;
    }
    return true;
}

/* NULL if the bytes can be read, else why not. */
static const char *obstacle(int fd, struct stat *status)
{
    if (fstat(fd, status) != 0)
        return strerror(errno);
    if (S_ISDIR(status->st_mode))
        return "this is a directory, not a file";
    return S_ISREG(status->st_mode) ? NULL : "this is not a regular file";
}

static enum file_bytes_result too_many(size_t max, char why[FILE_BYTES_WHY_MAX])
{
    snprintf(why, FILE_BYTES_WHY_MAX, "the file is larger than the %zu bytes that are allowed",
             max);
    return FILE_BYTES_TOO_MANY;
}

/* The size that fstat() tells is only a hint: the file may grow while we read. */
static enum file_bytes_result read_descriptor(int fd, size_t max, char **bytes, size_t *len,
                                              char why[FILE_BYTES_WHY_MAX])
{
    struct stat status;
    const char *problem = obstacle(fd, &status);
    size_t room;

    if (!problem && (unsigned long long)status.st_size > max)
        return too_many(max, why);
    if (!problem) {
        room = (size_t)status.st_size + 1;
        *bytes = mem_alloc(room, 1);
        if (!read_all(fd, *bytes, room, len))
            problem = strerror(errno);
        else if (*len == room)
            problem = "the file grew while it was read; try again";
    }
    if (!problem)
        return FILE_BYTES_OK;
    free(*bytes);
    *bytes = NULL;
    snprintf(why, FILE_BYTES_WHY_MAX, "%s", problem);
    return FILE_BYTES_UNREADABLE;
}

enum file_bytes_result file_bytes(const char *file, size_t max, char **bytes, size_t *len,
                                  char why[FILE_BYTES_WHY_MAX])
{
    /* O_NONBLOCK: opening a FIFO must not wait for its writer */
    int fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    enum file_bytes_result result;

    *bytes = NULL;
    *len = 0;
    if (fd < 0) {
        snprintf(why, FILE_BYTES_WHY_MAX, "cannot be opened: %s", strerror(errno));
        return FILE_BYTES_UNREADABLE;
    }
    result = read_descriptor(fd, max, bytes, len, why);
    close(fd);
    return result;
}
