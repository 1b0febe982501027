#include "tests/janus/echo.h"

#include "tests/janus/reply.h"

void echo_answer(struct exchange *x)
{
    reply_json(x, 200, arrival_json(x->arrival));
}
