// The functions that cell.h asks of a number type, for float.
#pragma once

#include "cell.h"
#include "launch.cuh"

namespace ngae::cuda {

struct DeviceMath {
  static __host__ __device__ __forceinline__ float sigmoid(float x) {
    return 1.0f / (1.0f + expf(-x));
  }
  static __host__ __device__ __forceinline__ float tanh(float x) { return tanhf(x); }
};

}  // namespace ngae::cuda
