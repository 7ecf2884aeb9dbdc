// Correct kernels that use each thing that the emulation stands for, with a C interface.
#include <cuda_bf16.h>
#include <mma.h>

#include <cstdint>

#include "launch.cuh"

using ngae::cuda::divide_up;
using ngae::cuda::kFullMask;
using ngae::cuda::kWarp;
using ngae::cuda::launch;
namespace wmma = nvcuda::wmma;

namespace {

constexpr int kThreads = 64;

// out (7, count): what each lane receives.
__global__ void shuffle(const int* values, int64_t count, int* out) {
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const int mine = i < count ? values[i] : 0;
  const int found[] = {__shfl_sync(kFullMask, mine, 3),
                       __shfl_sync(kFullMask, mine, 3, 8),
                       __shfl_xor_sync(kFullMask, mine, 16),
                       __shfl_down_sync(kFullMask, mine, 5),
                       __shfl_up_sync(kFullMask, mine, 5, 8),
                       static_cast<int>(__ballot_sync(kFullMask, mine & 1)),
                       __any_sync(kFullMask, mine == 7) + 2 * __all_sync(kFullMask, mine >= 0)};
  for (int64_t k = 0; k < 7; ++k) {
    if (i < count) out[k * count + i] = found[k];
  }
}

// out[i] = sum of values over the block of thread i, by halves.
__global__ void sum_block(const double* values, int64_t count, double* out) {
  using Sums = double[kThreads];
  NGAE_SHARED(Sums, sums);
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  sums[threadIdx.x] = i < count ? values[i] : 0.0;
  __syncthreads();
  for (unsigned half = kThreads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
    __syncthreads();
  }
  if (i < count) out[i] = sums[0];
}

// out (columns, rows) of in (rows, columns), by tiles.
__global__ void transpose(const float* in, int64_t rows, int64_t columns, float* out) {
  struct Tile {
    float value[16][17];
  };
  NGAE_SHARED(Tile, tile);
  const int64_t row0 = int64_t{blockIdx.y} * 16, column0 = int64_t{blockIdx.x} * 16;
  for (unsigned i = threadIdx.x; i < 256; i += blockDim.x) {
    const int64_t row = row0 + i / 16, column = column0 + i % 16;
    if (row < rows && column < columns) tile.value[i / 16][i % 16] = in[row * columns + column];
  }
  __syncthreads();
  for (unsigned i = threadIdx.x; i < 256; i += blockDim.x) {
    const int64_t row = row0 + i % 16, column = column0 + i / 16;
    if (row < rows && column < columns) out[column * rows + row] = tile.value[i % 16][i / 16];
  }
}

// A warp reverses its numbers through memory of its own.
__global__ void reverse_warp(const float* in, float* out) {
  using Row = float[kThreads];
  NGAE_SHARED(Row, row);
  const unsigned lane = threadIdx.x % kWarp, first = threadIdx.x - lane;
  for (int round = 0; round < 3; ++round) {
    row[threadIdx.x] = round == 0 ? in[threadIdx.x] : out[threadIdx.x];
    __syncwarp();
    out[threadIdx.x] = row[first + kWarp - 1 - lane];
    __syncwarp();
  }
}

__global__ void round_to_bf16(const float* in, int64_t count, __nv_bfloat16* bf16, float* back) {
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= count) return;
  bf16[i] = __float2bfloat16_rn(in[i]);
  back[i] = __bfloat162float(bf16[i]);
}

// d = a b + c of (16, 16) matrices, rows `ldm` apart; b as it is or stored by columns.
template <class LayoutB>
__global__ void multiply(const __nv_bfloat16* a, const __nv_bfloat16* b, const float* c,
                         unsigned ldm, wmma::layout_t layout, float* d) {
  wmma::fragment<wmma::matrix_a, 16, 16, 16, __nv_bfloat16, wmma::row_major> left;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, __nv_bfloat16, LayoutB> right;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> sums, start;
  wmma::fill_fragment(sums, 0.0f);
  wmma::load_matrix_sync(left, a, ldm);
  wmma::load_matrix_sync(right, b, ldm);
  wmma::mma_sync(sums, left, right, sums);
  wmma::load_matrix_sync(start, c, ldm, layout);
  for (int i = 0; i < sums.num_elements; ++i) sums.x[i] += start.x[i];
  wmma::store_matrix_sync(d, sums, ldm, layout);
}

struct Wide {
  float4 parts[5];
};

// A row of 20 numbers a thread, in one piece.
__global__ void copy_rows(const Wide* in, int64_t count, Wide* out) {
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= count) return;
  Wide row = in[i];
  row.parts[4].w += 1.0f;
  out[i] = row;
}

ngae::cuda::Grid threads_for(int64_t count) { return {divide_up(count, kThreads), 1, kThreads}; }

}  // namespace

extern "C" {

void sample_shuffle(const int* values, int64_t count, int* out) {
  launch("shuffle", shuffle, threads_for(count), nullptr, values, count, out);
}

void sample_sum_block(const double* values, int64_t count, double* out) {
  launch("sum_block", sum_block, threads_for(count), nullptr, values, count, out);
}

void sample_transpose(const float* in, int64_t rows, int64_t columns, float* out) {
  launch("transpose", transpose, {divide_up(columns, 16), divide_up(rows, 16), kThreads}, nullptr,
         in, rows, columns, out);
}

void sample_reverse_warp(const float* in, float* out) {
  launch("reverse_warp", reverse_warp, {1, 1, kThreads}, nullptr, in, out);
}

void sample_round_to_bf16(const float* in, int64_t count, __nv_bfloat16* bf16, float* back) {
  launch("round_to_bf16", round_to_bf16, threads_for(count), nullptr, in, count, bf16, back);
}

void sample_multiply(const __nv_bfloat16* a, const __nv_bfloat16* b, const float* c, unsigned ldm,
                     int by_columns, float* d) {
  const auto layout = by_columns ? wmma::mem_col_major : wmma::mem_row_major;
  const auto kernel = by_columns ? multiply<wmma::col_major> : multiply<wmma::row_major>;
  launch("multiply", kernel, {1, 1, kWarp}, nullptr, a, b, c, ldm, layout, d);
}

void sample_copy_rows(const Wide* in, int64_t count, Wide* out) {
  launch("copy_rows", copy_rows, threads_for(count), nullptr, in, count, out);
}

// Fills `to` by a call of the host and copies it to `copy`.
void sample_fill(float* to, float* copy, int64_t count) {
  const auto bytes = static_cast<size_t>(count) * sizeof(float);
  ngae::cuda::check(cudaMemsetAsync(to, 0, bytes, nullptr), "cudaMemsetAsync");
  ngae::cuda::check(cudaMemcpyAsync(copy, to, bytes, cudaMemcpyDeviceToDevice, nullptr),
                    "cudaMemcpyAsync");
}

}  // extern "C"
