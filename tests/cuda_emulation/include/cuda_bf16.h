// Stands where CUDA's header of this name stands: bfloat16 numbers and their conversions.
#pragma once

#include <cuda_runtime.h>

struct __nv_bfloat16 {
  uint16_t bits;
  __nv_bfloat16() = default;
  explicit constexpr __nv_bfloat16(uint16_t bits, int) : bits(bits) {}
  inline __nv_bfloat16(float x);
  inline operator float() const;
};
using nv_bfloat16 = __nv_bfloat16;

struct alignas(4) __nv_bfloat162 {
  __nv_bfloat16 x, y;
};

// To the nearest, ties to even; every NaN becomes 0x7FFF, as in CUDA.
inline __nv_bfloat16 __float2bfloat16_rn(float x) {
  const unsigned word = __float_as_uint(x);
  if ((word & 0x7FFFFFFFu) > 0x7F800000u) return __nv_bfloat16(uint16_t{0x7FFF}, 0);
  return __nv_bfloat16(static_cast<uint16_t>((word + 0x7FFFu + ((word >> 16) & 1u)) >> 16), 0);
}
inline __nv_bfloat16 __float2bfloat16(float x) { return __float2bfloat16_rn(x); }
inline float __bfloat162float(__nv_bfloat16 x) {
  return __uint_as_float(static_cast<unsigned>(x.bits) << 16);
}
inline __nv_bfloat16::__nv_bfloat16(float x) : bits(__float2bfloat16_rn(x).bits) {}
inline __nv_bfloat16::operator float() const { return __bfloat162float(*this); }

inline __nv_bfloat162 __floats2bfloat162_rn(float x, float y) {
  return {__float2bfloat16_rn(x), __float2bfloat16_rn(y)};
}
inline float __low2float(__nv_bfloat162 pair) { return __bfloat162float(pair.x); }
inline float __high2float(__nv_bfloat162 pair) { return __bfloat162float(pair.y); }
inline uint16_t __bfloat16_as_ushort(__nv_bfloat16 x) { return x.bits; }
inline __nv_bfloat16 __ushort_as_bfloat16(uint16_t bits) { return __nv_bfloat16(bits, 0); }
