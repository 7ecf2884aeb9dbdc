// Vectors of one instruction set, and exp, sigmoid and tanh on them. Only for gemm_isa.cpp, which
// sets NGAE_VECTOR_BYTES; includes nothing that could leave shared symbols in its object file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {

template <class T>
struct Simd;

template <>
struct Simd<float> {
  typedef float V __attribute__((vector_size(NGAE_VECTOR_BYTES)));
  typedef uint32_t Bits __attribute__((vector_size(NGAE_VECTOR_BYTES)));
  static constexpr int kMantissa = 23;
  static constexpr uint32_t kBias = 127;
  static constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  static constexpr float kLeast = -87.0f;       // exp of less is no normal number
  static constexpr float kSaturated = 10.0f;    // tanh of more is 1
  static constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;

  // exp(r) for |r| <= ln(2) / 2.
  static inline V exp_reduced(V r) {
    V p = 1.9875691500e-4f * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return p * (r * r) + r + 1.0f;
  }

  // tanh(x) for |x| < 0.625.
  static inline V tanh_small(V x) {
    const V s = x * x;
    V p = -5.70498872745e-3f * s + 2.06390887954e-2f;
    p = p * s - 5.37397155531e-2f;
    p = p * s + 1.33314422036e-1f;
    p = p * s - 3.33332819422e-1f;
    return p * s * x + x;
  }
};

template <>
struct Simd<double> {
  typedef double V __attribute__((vector_size(NGAE_VECTOR_BYTES)));
  typedef uint64_t Bits __attribute__((vector_size(NGAE_VECTOR_BYTES)));
  static constexpr int kMantissa = 52;
  static constexpr uint64_t kBias = 1023;
  static constexpr double kRound = 6755399441055744.0;  // 1.5 * 2^52
  static constexpr double kLeast = -708.0;
  static constexpr double kSaturated = 20.0;
  static constexpr double kLn2High = 6.93145751953125e-1, kLn2Low = 1.42860682030941723212e-6;

  static inline V exp_reduced(V r) {
    const V s = r * r;
    V p = 1.26177193074810590878e-4 * s + 3.02994407707441961300e-2;
    p = (p * s + 9.99999999999999999910e-1) * r;
    V q = 3.00198505138664455042e-6 * s + 2.52448340349684104192e-3;
    q = q * s + 2.27265548208155028766e-1;
    q = q * s + 2.0;
    return 1.0 + 2.0 * (p / (q - p));
  }

  static inline V tanh_small(V x) {
    const V s = x * x;
    V p = -9.64399179425052238628e-1 * s - 9.92877231001918586564e1;
    p = p * s - 1.61468768441708447952e3;
    V q = s + 1.12811678491632931402e2;
    q = q * s + 2.23548839060100448583e3;
    q = q * s + 4.84406305325125486048e3;
    return p / q * s * x + x;
  }
};

template <class T>
using Vector = typename Simd<T>::V;

template <class T>
constexpr int64_t kLanes = NGAE_VECTOR_BYTES / sizeof(T);

template <class T>
inline Vector<T> load(const T* from) {
  Vector<T> v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

template <class T>
inline void store(T* to, Vector<T> v) {
  std::memcpy(to, &v, sizeof v);
}

// The first `count` numbers, zero beyond them; all lanes where `count` is more.
template <class T>
inline Vector<T> load_part(const T* from, int64_t count) {
  if (count >= kLanes<T>) return load(from);
  Vector<T> v{};
  std::memcpy(&v, from, (count > 0 ? count : 0) * sizeof(T));
  return v;
}

template <int... kLane>
struct LaneList {};

template <int kCount, int... kLane>
struct LanesTo : LanesTo<kCount - 1, kCount - 1, kLane...> {};

template <int... kLane>
struct LanesTo<0, kLane...> {
  using List = LaneList<kLane...>;
};

// Exchanges the lanes of `a` that have bit kBit with those of `b` that have not.
template <class T, int kBit, int... kLane>
inline void exchange(Vector<T>& a, Vector<T>& b, LaneList<kLane...>) {
  constexpr int lanes = kLanes<T>;
#if defined(__clang__)
  const auto low = __builtin_shufflevector(a, b, (kLane & kBit ? lanes + kLane - kBit : kLane)...);
  b = __builtin_shufflevector(a, b, (kLane & kBit ? lanes + kLane : kLane + kBit)...);
#else
  using Bits = typename Simd<T>::Bits;
  const auto low = __builtin_shuffle(a, b, Bits{(kLane & kBit ? lanes + kLane - kBit : kLane)...});
  b = __builtin_shuffle(a, b, Bits{(kLane & kBit ? lanes + kLane : kLane + kBit)...});
#endif
  a = low;
}

// Turns a square of vectors round.
template <class T, int kBit = 1>
inline void transpose(Vector<T>* rows) {
  if constexpr (kBit < kLanes<T>) {
    for (int i = 0; i < kLanes<T>; ++i) {
      if ((i & kBit) == 0) {
        exchange<T, kBit>(rows[i], rows[i + kBit], typename LanesTo<kLanes<T>>::List{});
      }
    }
    transpose<T, 2 * kBit>(rows);
  }
}

// sigmoid and tanh: polynomials of Cephes (Moshier). Largest error 3 units in the last place
// (below -87, or -708 in double, sigmoid stays at its value there). NaN gives NaN.
template <class T>
struct VectorMath {
  using S = Simd<T>;
  using V = Vector<T>;
  using Bits = typename S::Bits;

  // exp(x) for kLeast <= x <= 0.
  static inline V exp(V x) {
    const V shifted = x * static_cast<T>(1.44269504088896340736) + S::kRound;
    const V n = shifted - S::kRound;
    const V r = (x - n * S::kLn2High) - n * S::kLn2Low;
    const Bits power = ((Bits)shifted << S::kMantissa) + (S::kBias << S::kMantissa);
    return S::exp_reduced(r) * (V)power;
  }

  static inline V sigmoid(V x) {
    V below = x < 0 ? x : -x;
    below = below < S::kLeast ? V{} + S::kLeast : below;
    const V e = exp(below);
    const V s = 1 / (1 + e);
    return x < 0 ? e * s : s;
  }

  static inline V tanh(V x) {
    V size = x < 0 ? -x : x;
    size = size > S::kSaturated ? V{} + S::kSaturated : size;
    const V e = exp(-2 * size);
    const V large = 1 - 2 * e / (1 + e);
    return size < static_cast<T>(0.625) ? S::tanh_small(x) : (x < 0 ? -large : large);
  }
};

}  // namespace
