/* proxy/fd_message.h - messages with descriptors over Unix sockets, each sent and received whole. */
#ifndef PROXY_FD_MESSAGE_H
#define PROXY_FD_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

/* Descriptors in one. */
enum { FD_MESSAGE_MAX = 64 };

bool fd_message_send(int channel, const void *bytes, size_t len, const int *fds, size_t n_fds);
/* False: the other end has gone, or sent something else. What was received is close-on-exec. */
bool fd_message_receive(int channel, void *bytes, size_t len, int fds[FD_MESSAGE_MAX],
                        size_t *n_fds);

#endif
