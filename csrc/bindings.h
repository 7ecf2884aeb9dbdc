// What the binding files share. Only for them.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <string>
#include <tuple>

#include "addresses.h"
#include "cpu_level.h"

namespace ngae {

// Instruction set, whether operands are rounded to bfloat16, number of threads.
using MachineTuple = std::tuple<std::string, bool, int64_t>;

inline Machine machine_of(const MachineTuple& m) {
  return {std::get<0>(m), std::get<1>(m), std::get<2>(m)};
}

// Adds the ops on rows: linear, grouped_linear, pair_scores, gather_rows, adam_step.
void bind_rows(pybind11::module_& module);

}  // namespace ngae
