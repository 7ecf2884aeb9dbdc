// Which instruction set the inner loops use, chosen when a function is called.
#pragma once

#include <string>
#include <vector>

#include "kernels.h"

namespace ngae {

// Names of the instruction sets that this machine runs, the plainest first.
std::vector<std::string> cpu_levels();

// The loops for `level`, "" meaning the best. Throws std::invalid_argument where this machine has
// no such level.
template <class T>
const Kernels<T>& kernels(const std::string& level);

}  // namespace ngae
