/* proxy/watch.h - notices that one file may have changed. What changed, if anything, is for its
 * reader to find out from the content.
 *
 * A path can lead through symbolic links, and each of them can be swapped: Kubernetes replaces
 * ..data, deployments replace "current". So every name on the way that decides which file it is, is
 * watched in its own folder by inotify:
 *
 *   /app/manifest.json -> /etc/vol/manifest.json -> ..data/manifest.json,   ..data -> ..1
 *   watched: manifest.json in /app and in /etc/vol, ..data in /etc/vol, manifest.json in /etc/vol/..1
 *
 * Other files of these folders wake nobody. A slow poll looks for what inotify cannot tell: network
 * file systems, a folder that was replaced, no inotify instance left. */
#ifndef PROXY_WATCH_H
#define PROXY_WATCH_H

#include <stdbool.h>
#include <sys/types.h>

struct loop;
struct watch;

/* The file may have changed; called in the loop. False: what is there cannot be used yet, look again
 * at the next poll even if nothing seems to have changed. */
typedef bool watch_look(void *context);

/* Looks once as soon as the loop runs, then whenever something happens. Never NULL. */
struct watch *watch_new(struct loop *loop, const char *path, watch_look *look, void *context);
void watch_free(struct watch *watch);

/* Calls back for each symbolic link on the way to `path`, with where it stands. */
void watch_each_link(const char *path, void (*visit)(void *context, const char *link),
                     void *context);

/* Opens a regular file for reading. -1: `*why` is a sentence, static storage; it is
 * WATCH_BEING_WRITTEN while somebody has the file open for writing, so that half a file is never
 * read. (Only the file's owner and root may ask the kernel that; for others the content must do.) */
int watch_open(const char *path, const char **why);
extern const char WATCH_BEING_WRITTEN[];

/* Reads to the end, or until `bytes` are full: a read() may come short, and half a token is none. The
 * number of bytes, or -1. */
ssize_t watch_read(int fd, void *bytes, size_t size);

#endif
