/* tests/flow/kit_faults.h - a program with the shim in it (shim_faults.c), and one call of it failing.
 *
 *   struct fault_kit *kit = fault_kit_new();
 *   ... process_plan.environment = fault_kit_environment(kit) ...
 *   fault_arm(kit, FAULT_recv, ECONNRESET, 3);     the fourth recv() from now on fails, once
 *   fault_disarm(kit)                              says whether it happened */
#ifndef TESTS_FLOW_KIT_FAULTS_H
#define TESTS_FLOW_KIT_FAULTS_H

#include <stdbool.h>

#include "tests/flow/faults.h"

struct fault_kit;

struct fault_kit *fault_kit_new(void);
void fault_kit_free(struct fault_kit *kit);

/* For a process that shall have the shim; borrowed. */
const char *const *fault_kit_environment(const struct fault_kit *kit);

void fault_arm(struct fault_kit *kit, enum fault_call call, int error, unsigned after);
/* The same for the next `times` calls. */
void fault_arm_many(struct fault_kit *kit, enum fault_call call, int error, unsigned times);
/* How many calls have failed since it was armed, or since this was asked. */
unsigned fault_disarm(struct fault_kit *kit);
unsigned fault_calls(const struct fault_kit *kit, enum fault_call call);
const char *fault_call_name(enum fault_call call);

/* What the process's clocks are ahead of the machine's; negative: behind. */
void fault_clocks(struct fault_kit *kit, long long wall_ms, long long boot_ms);

#endif
