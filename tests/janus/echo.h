/* tests/janus/echo.h - answers with what arrived, exactly.
 *
 * Bytes of 0x80 and more become the characters of the same number (Latin-1), in header names and
 * values, in the target and in the body's text: a reader gets the bytes back by encoding Latin-1.
 */
#ifndef TESTS_JANUS_ECHO_H
#define TESTS_JANUS_ECHO_H

#include "tests/janus/exchange.h"

void echo_answer(struct exchange *x);

#endif
