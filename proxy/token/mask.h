/* proxy/token/mask.h - takes secrets out of foreign text that is going to be logged. Pure.
 *
 * Nobody can know every secret by its looks, so this is a net under text that should not hold any
 * (what a program says when it fails), and no licence to log what does. Masked are:
 *
 *   JWTs                       anything that begins with "eyJ"
 *   values with a name         authToken=..., "token": "...", password: ..., --apptoken ...,
 *                              Authorization, Cookie and VtexIdclientAutCookie[_account]
 *   credentials                Bearer ..., scheme://user:password@host
 *   long runs                  32 and more of A-Z a-z 0-9 _ - . + = with letters and digits among
 *                              them, or of capitals alone, which an app key's token is made of
 *
 * Paths, host names, times and error codes stay readable. */
#ifndef PROXY_TOKEN_MASK_H
#define PROXY_TOKEN_MASK_H

#include <stddef.h>

/* In place; the new length, never a longer one. A secret becomes "***", or as many stars as it had
 * bytes. */
size_t mask_secrets(char *bytes, size_t len);

#endif
