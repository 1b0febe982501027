/* config/file_bytes.h - all the bytes of a file that a person wrote.
 *
 * Reading never blocks (a FIFO, a device or a directory is refused) and never takes more than was asked. */
#ifndef CONFIG_FILE_BYTES_H
#define CONFIG_FILE_BYTES_H

#include <stddef.h>

enum file_bytes_result { FILE_BYTES_OK, FILE_BYTES_TOO_MANY, FILE_BYTES_UNREADABLE };

enum { FILE_BYTES_WHY_MAX = 160 };

/* `*bytes` is the caller's to free when the result is OK, else NULL; `why` then is a sentence without
 * the file's name. */
enum file_bytes_result file_bytes(const char *file, size_t max, char **bytes, size_t *len,
                                  char why[FILE_BYTES_WHY_MAX]);

#endif
