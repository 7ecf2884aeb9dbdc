// Linear maps of several groups, each with weights of its own: out_g = x_g weight_g^T + bias_g.
//
// A group is one `linear` (csrc/linear.h), with its promises of equality; arrays of the groups
// follow one another.
#pragma once

#include <cstdint>

#include "cpu_level.h"
#include "linear.h"

namespace ngae {

// out (groups, rows, outputs) from x (groups, rows, inputs), weight (groups, outputs, inputs) and
// bias (groups, outputs).
template <class T>
void grouped_linear_forward(int64_t groups, const LinearShape& shape, const Machine& machine,
                            const T* x, const T* weight, const T* bias, T* out);

// From dout (groups, rows, outputs); gradients as the arrays of forward, nullptr where not wanted.
template <class T>
void grouped_linear_backward(int64_t groups, const LinearShape& shape, const Machine& machine,
                             const T* dout, const T* x, const T* weight,
                             const LinearGradients<T>& gradients);

}  // namespace ngae
