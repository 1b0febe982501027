/* proxy/peer.h - a peer has sent FIN: has it left, or does it only send no more?
 *
 * On the wire both look the same. On one machine the kernel knows: the socket at the other end still
 * belongs to a process, or it does not (sock_diag(7)). */
#ifndef PROXY_PEER_H
#define PROXY_PEER_H

#include <stdbool.h>

/* True if the other end of this connection, of TCP or of Unix, is an open socket of this machine (this network
 * namespace). False if it is closed, elsewhere, or the kernel does not say. A few system calls: ask
 * only about a connection whose FIN has come. */
bool peer_holds_its_end(int fd);

#endif
