/* proxy/bind_now.h - functions of libraries are found at the start, and not each at its first call.
 *
 * A late search saves all vector registers on the stack. While a token is being moved or decrypted they hold parts of
 * it, which then stay there. A program's own link flags reach only itself, not how libraries find one another; that is
 * decided by LD_BIND_NOW before main(). So the program starts itself once more. */
#ifndef PROXY_BIND_NOW_H
#define PROXY_BIND_NOW_H

/* Before anything else is begun: from here main() may run anew. Returns the second time, or at once if the variable was
 * given, or if it cannot be done. What we start later does not see the variable, unless it was given. */
void bind_now(char **argv);

#endif
