#include "launch.cuh"
#include "sum_rows.cuh"

namespace ngae::cuda {
namespace {

constexpr int kWarps = 8;  // of a block: warp w adds up every kWarps-th row of a list, from w on

struct Partial {
  float sum[kWarps][kWarp];
};

// One row of the result and kWarp columns.
__global__ void __launch_bounds__(kWarps* kWarp)
    sum_rows_kernel(int64_t columns, const int64_t* ptr, const int64_t* list, const float* values,
                    float* out) {
  NGAE_SHARED(Partial, partial);
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int64_t row = blockIdx.x, column = static_cast<int64_t>(blockIdx.y) * kWarp + lane;
  float sum = 0.0f;
  if (column < columns) {
    for (int64_t i = ptr[row] + warp; i < ptr[row + 1]; i += kWarps) {
      sum += values[list[i] * columns + column];
    }
  }
  partial.sum[warp][lane] = sum;
  __syncthreads();
  if (warp != 0 || column >= columns) return;
  for (int other = 1; other < kWarps; ++other) sum += partial.sum[other][lane];
  out[row * columns + column] = sum;
}

}  // namespace

void sum_rows(int64_t num_rows, int64_t columns, const int64_t* ptr, const int64_t* list,
              const float* values, cudaStream_t stream, float* out) {
  launch("sum_rows", sum_rows_kernel, {num_rows, divide_up(columns, kWarp), kWarps * kWarp}, stream,
         columns, ptr, list, values, out);
}

}  // namespace ngae::cuda
