/* proxy/http/names.h - from a field name to the id that the rest of the program asks for. Pure. */
#ifndef PROXY_HTTP_NAMES_H
#define PROXY_HTTP_NAMES_H

#include "proxy/http/head.h"

enum header_id header_id_of(struct text name);

#endif
