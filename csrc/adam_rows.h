// Loops over weights, gradients and moments for a step of Adam. Only for gemm_isa.cpp.
#pragma once

#include "kernels.h"
#include "simd.h"

namespace {

inline float root(float x) { return __builtin_sqrtf(x); }
inline double root(double x) { return __builtin_sqrt(x); }

template <class T>
T sum_of_squares(const T* x, int64_t count) {
  constexpr int64_t lanes = kLanes<T>;
  Vector<T> sums[4] = {};
  for (int64_t i = 0; i < count; i += 4 * lanes) {
    for (int64_t j = 0; j < 4; ++j) {
      const Vector<T> v = load_part(x + i + j * lanes, count - i - j * lanes);
      sums[j] += v * v;
    }
  }
  const Vector<T> sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  T total = 0;
  for (int64_t lane = 0; lane < lanes; ++lane) total += sum[lane];
  return total;
}

template <class T>
void adam(const ngae::AdamFactors<T>& by, int64_t count, const T* __restrict gradient,
          T* __restrict value, T* __restrict mean, T* __restrict square) {
  for (int64_t i = 0; i < count; ++i) {
    const T g = gradient[i] * by.gradient;
    const T m = mean[i] + by.mean * (g - mean[i]);
    const T s = by.square * square[i] + by.new_square * g * g;
    mean[i] = m;
    square[i] = s;
    value[i] -= by.step * m / (root(s) * by.root + by.epsilon);
  }
}

}  // namespace
