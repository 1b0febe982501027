/* proxy/sidecar_providers.h - the folder of --provider-policies while the process lives: whoever reads it is
 * told when the content of its files is no longer what it was.
 *
 *   something happened, or the poll --> same names, sizes, times: nothing
 *                                  `--> somebody is writing one: when he has closed it
 *                                  `--> same content: nothing
 *                                  `--> changed: the policies are built anew */
#ifndef PROXY_SIDECAR_PROVIDERS_H
#define PROXY_SIDECAR_PROVIDERS_H

struct log;
struct loop;
struct live_providers;

/* Notes what stands in `folder` now, borrowed. Goes before the policies are built, so that a change in
 * between is seen. NULL for NULL, which the others take. */
struct live_providers *live_providers_new(const char *folder);
void live_providers_free(struct live_providers *live);

/* Calls `changed` from the loop, from now on. */
void live_providers_follow(struct live_providers *live, struct loop *loop, struct log *log,
                           void (*changed)(void *context), void *context);
/* Somebody is about to read them anyway: what is there now is no change. */
void live_providers_note(struct live_providers *live);

#endif
