// How a product holds its two operands: as they are, or rounded to bfloat16 with sums in float32.
// Only for gemm_isa.cpp.
//
// A form F says how many rows of the depth make one step (kFold), how a row of the left operand is
// copied, how kFold rows of the right one fold into a vector, and what a step adds.
#pragma once

#include "simd.h"

#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

namespace {

template <class F>
inline int64_t steps_of(int64_t depth) {
  return (depth + F::kFold - 1) / F::kFold;
}

template <class T>
struct Exact {
  using Number = T;
  static constexpr int64_t kFold = 1;
  static inline void copy(const T* from, int64_t depth, T* to) {
    std::memcpy(to, from, depth * sizeof(T));
  }
  static inline Vector<T> fold(const Vector<T>* rows) { return rows[0]; }
  static inline Vector<T> add(Vector<T> sum, T x, Vector<T> b) { return sum + x * b; }
};

// Bits of the nearest bfloat16, of even ones among equals, in the upper half of each lane.
inline Simd<float>::Bits round_to_bf16(Vector<float> v) {
  using Bits = Simd<float>::Bits;
  const Bits bits = (Bits)v;
  const Bits rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u;
  return v == v ? rounded : (bits | 0x00400000u) & 0xffff0000u;
}

#if defined(__AVX512BF16__)

// Two numbers of 16 bits in the place of one of 32; the product adds both at once. Such a place is
// carried as a float, but never computed with.
struct Bf16 {
  using Number = float;
  static constexpr int64_t kFold = 2;
  static inline void copy(const float* from, int64_t depth, float* to) {
    constexpr int64_t lanes = kLanes<float>;
    for (int64_t k = 0; k < depth; k += lanes) {
      const __m256bh half = _mm512_cvtneps_pbh((__m512)load_part(from + k, depth - k));
      const int64_t rest = (depth - k + 1) / 2;
      std::memcpy(to + k / 2, &half, (rest < lanes / 2 ? rest : lanes / 2) * sizeof(float));
    }
  }
  static inline Vector<float> fold(const Vector<float>* rows) {
    return (Vector<float>)(round_to_bf16(rows[0]) >> 16 | round_to_bf16(rows[1]));
  }
  static inline Vector<float> add(Vector<float> sum, float x, Vector<float> b) {
    return (Vector<float>)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_ps(x), (__m512bh)b);
  }
};

#else

// The same roundings in numbers of 32 bits.
struct Bf16 : Exact<float> {
  static inline void copy(const float* from, int64_t depth, float* to) {
    constexpr int64_t lanes = kLanes<float>;
    for (int64_t k = 0; k < depth; k += lanes) {
      const Vector<float> v = (Vector<float>)round_to_bf16(load_part(from + k, depth - k));
      std::memcpy(to + k, &v, (depth - k < lanes ? depth - k : lanes) * sizeof(float));
    }
  }
  static inline Vector<float> fold(const Vector<float>* rows) {
    return (Vector<float>)round_to_bf16(rows[0]);
  }
};

#endif

}  // namespace
