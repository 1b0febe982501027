/* proxy/watch_folder.h - notices that the files of a folder may have changed, those one level below
 * included. What changed, if anything, is for its reader to find out from the content.
 *
 *   DIR/vtex.x.json, DIR/..data (a link that Kubernetes swaps)   any name in DIR wakes
 *   DIR/vtex.y/policies.json                                     any name in DIR/{folder} wakes
 *   DIR itself, replaced or reached by a link that is swapped    watch.h sees it
 *
 * Removals wake nobody: who removes a file is often about to put another one there. The slow poll sees
 * them, as it sees what inotify cannot. */
#ifndef PROXY_WATCH_FOLDER_H
#define PROXY_WATCH_FOLDER_H

#include "proxy/watch.h"

struct watch_folder;

/* Looks once as soon as the loop runs, then at every poll, and soon after something happened (several
 * changes in a row are one look). `look` is cheap while nothing has changed; false: it wants to look
 * again soon. Never NULL. */
struct watch_folder *watch_folder_new(struct loop *loop, const char *path, watch_look *look,
                                      void *context);
void watch_folder_free(struct watch_folder *watch);

#endif
