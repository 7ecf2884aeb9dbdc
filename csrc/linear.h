// A linear map of many rows, forward and backward: out = x weight^T + bias.
//
// Arrays are dense. An element of out and of dx is one sum in the order of the depth, so it is the
// same, bit for bit, for any number of threads and any rows beside its own; an element of dweight
// and dbias for any number of threads.
#pragma once

#include <cstdint>

#include "cpu_level.h"

namespace ngae {

struct LinearShape {
  int64_t rows, inputs, outputs;  // inputs and outputs at least 1
};

// Where gradients go; nullptr where one is not wanted.
template <class T>
struct LinearGradients {
  T *x, *weight, *bias;  // (rows, inputs), (outputs, inputs), (outputs,)
};

// out (rows, outputs) from x (rows, inputs), weight (outputs, inputs), bias (outputs,) or nullptr.
template <class T>
void linear_forward(const LinearShape& shape, const Machine& machine, const T* x, const T* weight,
                    const T* bias, T* out);

// From dout (rows, outputs).
template <class T>
void linear_backward(const LinearShape& shape, const Machine& machine, const T* dout, const T* x,
                     const T* weight, const LinearGradients<T>& gradients);

}  // namespace ngae
