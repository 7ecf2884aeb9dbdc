// What kernels on rows share: a sum over the lanes of a warp, relu, and what becomes of the sums
// of a product.
#pragma once

#include "gru_rows.cuh"
#include "product.cuh"

namespace ngae::cuda {

// The sum over all lanes, the same bits in each of them.
static __device__ __forceinline__ float warp_sum(float value) {
#pragma unroll
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    value += __shfl_xor_sync(kFullMask, value, offset);
  }
  return value;
}

// Keeps what is not a number.
static __device__ __forceinline__ float relu(float x) { return x < 0.0f ? 0.0f : x; }

// to (rows, stride) = sum.
struct Store {
  float* to;
  int64_t stride;

  __device__ void operator()(int32_t row, int64_t j, const Sums<1>& sum) const {
    to[row * stride + j] = sum.value[0];
  }
};

// to (rows, stride) = sum + bias.
struct StoreBiased {
  const float* bias;  // (stride,)
  float* to;
  int64_t stride;

  __device__ void operator()(int32_t row, int64_t j, const Sums<1>& sum) const {
    to[row * stride + j] = sum.value[0] + bias[j];
  }
};

// to (rows, stride) = relu(sum + term); terms of a row begin term_stride after those of the row
// before it, 0 for a bias.
struct StoreRelu {
  const float* term;
  int64_t term_stride;
  float* to;
  int64_t stride;

  __device__ void operator()(int32_t row, int64_t j, const Sums<1>& sum) const {
    to[row * stride + j] = relu(sum.value[0] + term[row * term_stride + j]);
  }
};

// to (rows, stride) = sum + term, of the same shape.
struct StoreSum {
  const float* term;
  float* to;
  int64_t stride;

  __device__ void operator()(int32_t row, int64_t j, const Sums<1>& sum) const {
    to[row * stride + j] = sum.value[0] + term[row * stride + j];
  }
};

// Rows of `a` (count, depth) times a weight, whole; sums go to `finish` one by one.
template <Weight kWeight, class Finish>
void multiply_whole(const char* name, const float* a, int64_t count, const float* weight,
                    int64_t depth, int64_t width, const Run& run, const Finish& finish) {
  const bool by_rows = kWeight == Weight::kRows;
  const Product product{
      a,       depth, nullptr, count, weight, by_rows ? depth : width, by_rows ? width : depth,
      nullptr, depth, width};
  multiply<2, kWeight, Groups::kApart>(name, product, run.bf16, finish, run.stream);
}

}  // namespace ngae::cuda
