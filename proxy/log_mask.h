/* proxy/log_mask.h - takes out of a text for the log what looks like a credential. Pure.
 *
 * Credentials do not belong into paths, and yet people put them there. What is looked for: a JWT ("eyJ..." with two
 * dots), and the value behind authToken, VtexIdclientAutCookie or access_token, also where `=` is written %3D. */
#ifndef PROXY_LOG_MASK_H
#define PROXY_LOG_MASK_H

#include <stdbool.h>
#include <stddef.h>

/* Puts "***" where one stands and shortens the text; `len` is what there is before and after. False: it held none,
 * and nothing is changed. */
bool log_mask(char *text, size_t *len);

#endif
