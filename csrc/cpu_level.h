// Which instruction set the inner loops use, and in which precision; chosen when a function is
// called.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels.h"

namespace ngae {

// How to compute: instruction set ("" for the best), operands of products rounded to bfloat16 or
// not, and number of threads.
struct Machine {
  std::string level;
  bool bf16;
  int64_t threads;
};

// Names of the instruction sets that this machine runs, the plainest first.
std::vector<std::string> cpu_levels();

// The loops for `machine`. Throws std::invalid_argument where this machine has no such level.
// Numbers of double precision are never rounded.
template <class T>
const Kernels<T>& kernels(const Machine& machine);

}  // namespace ngae
