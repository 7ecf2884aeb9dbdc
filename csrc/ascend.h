// Ascent of predicted targets from many latent points at once: forward pass, gradient by the point
// and step in one loop, with frozen predictors. The formulas stand in python/ngae/ops/ascend.py.
//
// A point's path depends on its own start and on the weights; not on the points beside it, nor on
// the number of threads.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu_level.h"

namespace ngae {

template <class T>
struct PredictorWeights {
  int64_t hidden, outputs;
  const T *first, *first_bias;    // (hidden, latent), (hidden,)
  const T *second, *second_bias;  // (hidden, hidden), (hidden,)
  const T *output, *output_bias;  // (outputs, hidden), (outputs,)
  const T* coefficient;           // (outputs,) of each output in the score
};

template <class T>
struct AscentInput {
  int64_t num_points, latent;
  const T* starts;                   // (num_points, latent)
  double step_size;                  // divided by sqrt(latent)
  const std::vector<int64_t>& keep;  // numbers of the steps after which points are wanted
};

// points (keep.size(), num_points, latent). Takes as many steps as the greatest number kept.
template <class T>
void ascend(const AscentInput<T>& input, const std::vector<PredictorWeights<T>>& predictors,
            const Machine& machine, T* points);

}  // namespace ngae
