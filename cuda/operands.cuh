// How the two operands of a product lie in shared memory and how their tiles are multiplied:
// exactly, or rounded to bfloat16 on the tensor cores. Both add up in float32.
//
// a is (kRows, kStep), b is (kStep, kGroups * kColumns); out holds the sums at the end.
#pragma once

#include <cuda_bf16.h>
#include <mma.h>

#include "launch.cuh"

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#error "ngae._cuda needs GPUs of compute capability 8.0 and later: older ones multiply no bfloat16"
#endif

namespace ngae::cuda {

constexpr int kRows = 64, kColumns = 32, kStep = 32, kThreads = 256;

// Sums of one tile. Rows begin at other banks of the memory than the rows before them.
template <int kGroups>
struct TileSums {
  static constexpr int kStride = kGroups * kColumns + 4;
  alignas(32) float value[kRows * kStride];
};

template <int kGroups>
struct ExactTile {
  struct Operands {
    alignas(16) float a[kStep * (kRows + 4)];  // by step: a thread takes four rows at once
    alignas(16) float b[kStep * TileSums<kGroups>::kStride];  // by step, too
  };
  float sum[4][2 * kGroups];  // of four rows and, in each group, two columns

  __device__ __forceinline__ ExactTile() : sum{} {}

  static __device__ __forceinline__ void put_a(Operands& to, int row, int step, float value) {
    to.a[step * (kRows + 4) + row] = value;
  }
  static __device__ __forceinline__ void put_b(Operands& to, int column, int step, float value) {
    to.b[step * TileSums<kGroups>::kStride + column] = value;
  }

  static __device__ __forceinline__ int row() { return static_cast<int>(threadIdx.x) / 16 * 4; }
  static __device__ __forceinline__ int column() { return static_cast<int>(threadIdx.x) % 16 * 2; }

  __device__ __forceinline__ void multiply(const Operands& from) {
#pragma unroll 8
    for (int step = 0; step < kStep; ++step) {
      const float4 a = *reinterpret_cast<const float4*>(from.a + step * (kRows + 4) + row());
      const float rows[4] = {a.x, a.y, a.z, a.w};
#pragma unroll
      for (int group = 0; group < kGroups; ++group) {
        const float2 b = *reinterpret_cast<const float2*>(
            from.b + step * TileSums<kGroups>::kStride + group * kColumns + column());
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          sum[i][2 * group] = fmaf(rows[i], b.x, sum[i][2 * group]);
          sum[i][2 * group + 1] = fmaf(rows[i], b.y, sum[i][2 * group + 1]);
        }
      }
    }
  }

  __device__ __forceinline__ void store(TileSums<kGroups>& out) const {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
#pragma unroll
      for (int j = 0; j < 2 * kGroups; ++j) {
        out.value[(row() + i) * TileSums<kGroups>::kStride + j / 2 * kColumns + column() + j % 2] =
            sum[i][j];
      }
    }
  }
};

// Each of the eight warps has 16 rows and, in each group, 16 columns.
template <int kGroups>
struct Bf16Tile {
  static constexpr int kStride = kStep + 8;  // of rows: bytes in whole banks, aligned for the cores
  struct Operands {
    alignas(32) __nv_bfloat16 a[kRows * kStride];               // by row
    alignas(32) __nv_bfloat16 b[kGroups * kColumns * kStride];  // by column
  };
  template <class Use, class Layout>
  using Fragment = nvcuda::wmma::fragment<Use, 16, 16, 16, __nv_bfloat16, Layout>;
  nvcuda::wmma::fragment<nvcuda::wmma::accumulator, 16, 16, 16, float> sum[kGroups];

  __device__ __forceinline__ Bf16Tile() {
#pragma unroll
    for (int group = 0; group < kGroups; ++group) nvcuda::wmma::fill_fragment(sum[group], 0.0f);
  }

  static __device__ __forceinline__ void put_a(Operands& to, int row, int step, float value) {
    to.a[row * kStride + step] = __float2bfloat16_rn(value);
  }
  static __device__ __forceinline__ void put_b(Operands& to, int column, int step, float value) {
    to.b[column * kStride + step] = __float2bfloat16_rn(value);
  }

  static __device__ __forceinline__ int row() {
    return static_cast<int>(threadIdx.x) / (2 * kWarp) * 16;
  }
  static __device__ __forceinline__ int column() {
    return static_cast<int>(threadIdx.x) / kWarp % 2 * 16;
  }

  __device__ __forceinline__ void multiply(const Operands& from) {
#pragma unroll
    for (int step = 0; step < kStep; step += 16) {
      Fragment<nvcuda::wmma::matrix_a, nvcuda::wmma::row_major> a;
      nvcuda::wmma::load_matrix_sync(a, from.a + row() * kStride + step, kStride);
#pragma unroll
      for (int group = 0; group < kGroups; ++group) {
        Fragment<nvcuda::wmma::matrix_b, nvcuda::wmma::col_major> b;
        nvcuda::wmma::load_matrix_sync(b, from.b + (group * kColumns + column()) * kStride + step,
                                       kStride);
        nvcuda::wmma::mma_sync(sum[group], a, b, sum[group]);
      }
    }
  }

  __device__ __forceinline__ void store(TileSums<kGroups>& out) const {
#pragma unroll
    for (int group = 0; group < kGroups; ++group) {
      nvcuda::wmma::store_matrix_sync(
          out.value + row() * TileSums<kGroups>::kStride + group * kColumns + column(), sum[group],
          TileSums<kGroups>::kStride, nvcuda::wmma::mem_row_major);
    }
  }
};

}  // namespace ngae::cuda
