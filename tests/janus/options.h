/* tests/janus/options.h - the command line. */
#ifndef TESTS_JANUS_OPTIONS_H
#define TESTS_JANUS_OPTIONS_H

#include "tests/janus/sim.h"

/* -1: go on. Otherwise the exit status: --help has been answered, or the mistake reported. */
int options_parse(int argc, char **argv, struct options *options);

#endif
