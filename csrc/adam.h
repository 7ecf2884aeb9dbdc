// A step of Adam with a limit on the norm of all gradients together: one pass over the gradients
// for the norm, one over everything for the step.
//
//   g = gradient / max(1, norm / clip)
//   mean   += (1 - beta1) (g - mean)
//   square  = beta2 square + (1 - beta2) g^2
//   value  -= lr / (1 - beta1^step) * mean / (sqrt(square / (1 - beta2^step)) + epsilon)
//
// The result is the same, bit for bit, for any number of threads.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu_level.h"

namespace ngae {

// A weight, its gradient and its moments, `size` numbers each.
template <class T>
struct AdamTensor {
  T* value;
  const T* gradient;
  T *mean, *square;
  int64_t size;
};

struct AdamSettings {
  double lr, beta1, beta2, epsilon, clip;
  int64_t step;  // from 1
};

// Returns the norm of the gradients before the limit.
template <class T>
double adam_step(const std::vector<AdamTensor<T>>& tensors, const AdamSettings& settings,
                 const Machine& machine);

}  // namespace ngae
