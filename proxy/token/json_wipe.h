/* proxy/token/json_wipe.h - JSON that holds secrets leaves none behind.
 *
 * jansson copies what it reads: the strings, and the text of each while it is taken apart. It wipes
 * none of them, but it lets us bring the memory. */
#ifndef PROXY_TOKEN_JSON_WIPE_H
#define PROXY_TOKEN_JSON_WIPE_H

/* From now on jansson's memory is wiped when it is freed: in the whole process, for good, also what was
 * allocated before. May be called again. */
void json_wipe(void);

#endif
