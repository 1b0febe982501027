/* proxy/log_library.h - what libevent has to say goes into the log of the thread that made it speak: it calls
 * one function a process, which knows no context. */
#ifndef PROXY_LOG_LIBRARY_H
#define PROXY_LOG_LIBRARY_H

struct log;

/* Of this thread from now on; NULL: nowhere. */
void log_library(struct log *log);

#endif
