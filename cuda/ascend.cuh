// Ascent of predicted targets from many latent points on a GPU: the loop of csrc/ascend.h in
// float32, all points at once, step after step. The host walks the steps and waits for nothing.
//
// A point's path depends on its own start and on the weights. Arrays are on the device, but for
// the numbers of the steps that are kept.
#pragma once

#include <vector>

#include "ascend.h"
#include "gru_rows.cuh"

namespace ngae::cuda {

using Predictor = PredictorWeights<float>;  // on the device

// Memory that an ascent works in; most_hidden is the greatest hidden size.
struct AscentMemory {
  float *z, *gradient;  // (num_points, latent)
  float* first;         // (num_points, most_hidden): first layer, then its gradient
  float* second;        // (num_points, most_hidden)
  float* dsecond;       // (num_points, most_hidden): gradient of second before relu
};

// points (keep.size(), num_points, latent). Takes as many steps as the greatest number kept.
void ascend(const AscentInput<float>& input, const std::vector<Predictor>& predictors,
            const Run& run, const AscentMemory& memory, float* points);

}  // namespace ngae::cuda
