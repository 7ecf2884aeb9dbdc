// Runs the threads of a launch as fibers, one block after the other, in a chosen order.
#pragma once

#include "now.h"

namespace emulation {

enum class ThreadOrder { forward, reverse, random };

void set_order(ThreadOrder order, uint64_t seed);
// Leaves the running block as it is and goes on with the next one.
[[noreturn]] void abandon_block();

}  // namespace emulation
