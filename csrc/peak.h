// What this machine can do, measured: the yardstick of the benchmarks.
#pragma once

#include <cstdint>

#include "cpu_level.h"

namespace ngae {

// Operations a second, all threads together, of multiply-adds in registers alone.
double fma_rate(const Machine& machine, int64_t steps);

// The same of the product kernel: 112 rows of 512 numbers with 512 x 512 weights, which stay in
// the cache, packed once.
double product_rate(const Machine& machine, int64_t repeats);

}  // namespace ngae
