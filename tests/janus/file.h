/* tests/janus/file.h - files that others read while they change. */
#ifndef TESTS_JANUS_FILE_H
#define TESTS_JANUS_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Writes a file next to `path` and renames it: a reader sees the old or the new, never a part.
 * False, with errno, if that fails; then `path` is what it was. */
bool replace_file(const char *path, unsigned mode, const char *content, size_t len);

#endif
