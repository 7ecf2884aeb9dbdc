// Products of rows with a weight, tile by tile, each followed by a function of the sums: the one
// place where this engine multiplies. Weights are read as they are; nothing is packed.
#pragma once

#include "operands.cuh"

namespace ngae::cuda {

// What a row of the result is: a row of `a` times columns of a weight.
enum class Weight {
  kRows,     // b (outputs, depth): sum over k of a[row, k] * b[column, k]
  kColumns,  // b (depth, outputs): sum over k of a[row, k] * b[k, column]
};

// kGroups columns that a function takes at once, `width` apart in the weight (the gates of a GRU);
// or side by side, to be taken one by one.
enum class Groups { kTogether, kApart };

struct Product {
  const float* a;
  int64_t a_stride;
  const int32_t* rows;  // numbers of the rows of a; nullptr: 0 .. count - 1
  int64_t count;
  const float* b;
  int64_t b_stride;
  int64_t b_rows;        // of b; the weight's further rows stand in b_below
  const float* b_below;  // nullptr where there are none
  int64_t depth;         // 0 gives sums of 0
  int64_t width;         // columns, of one group where groups are taken together
};

// The sums of one row, in groups that are taken together; one where they are taken apart.
template <int kCount>
struct Sums {
  float value[kCount];
};

template <int kGroups, Weight kWeight, Groups kTaken>
struct WeightTile {
  // First column of group `group` of the tiles in this column of the grid, in the result.
  static __device__ __forceinline__ int64_t first(int group) {
    const auto tile = static_cast<int64_t>(blockIdx.y);
    return kTaken == Groups::kTogether ? tile * kColumns : (tile * kGroups + group) * kColumns;
  }

  // b[step, column], or 0 beyond the weight.
  static __device__ __forceinline__ float load(const Product& p, int column, int64_t step) {
    const int group = column / kColumns;
    const int64_t j = first(group) + column % kColumns;
    if (j >= p.width || step >= p.depth) return 0.0f;
    const int64_t n = kTaken == Groups::kTogether ? group * p.width + j : j;
    const int64_t row = kWeight == Weight::kRows ? n : step;
    const int64_t place = kWeight == Weight::kRows ? step : n;
    const float* from =
        row < p.b_rows ? p.b + row * p.b_stride : p.b_below + (row - p.b_rows) * p.b_stride;
    return from[place];
  }
};

// The next operands of a thread on their way from global to shared memory. Lanes of a warp read
// pieces of eight numbers, which meet no bank of the shared memory twice.
template <class Tile, int kGroups, Weight kWeight, Groups kTaken>
struct Fetched {
  static constexpr int kA = kRows * kStep / kThreads, kB = kGroups * kColumns * kStep / kThreads;
  float a[kA], b[kB];

  static __device__ __forceinline__ int lane() { return static_cast<int>(threadIdx.x) % kWarp; }
  static __device__ __forceinline__ int warp() { return static_cast<int>(threadIdx.x) / kWarp; }
  static __device__ __forceinline__ int step_of_a() { return lane() % 8 + warp() % 4 * 8; }
  static __device__ __forceinline__ int row(int i) { return lane() / 8 + warp() / 4 * 4 + i * 8; }
  static __device__ __forceinline__ int column(int i) {
    return kWeight == Weight::kRows ? row(i) : lane() + i % kGroups * kColumns;
  }
  static __device__ __forceinline__ int step_of_b(int i) {
    return kWeight == Weight::kRows ? step_of_a() : warp() + i / kGroups * 8;
  }

  __device__ __forceinline__ void load(const Product& p, const int32_t* row_of, int64_t first) {
#pragma unroll
    for (int i = 0; i < kA; ++i) {
      const int64_t step = first + step_of_a();
      const int32_t from = row_of[row(i)];
      a[i] = from >= 0 && step < p.depth ? p.a[from * p.a_stride + step] : 0.0f;
    }
#pragma unroll
    for (int i = 0; i < kB; ++i) {
      b[i] = WeightTile<kGroups, kWeight, kTaken>::load(p, column(i), first + step_of_b(i));
    }
  }

  __device__ __forceinline__ void put(typename Tile::Operands& to) const {
#pragma unroll
    for (int i = 0; i < kA; ++i) Tile::put_a(to, row(i), step_of_a(), a[i]);
#pragma unroll
    for (int i = 0; i < kB; ++i) Tile::put_b(to, column(i), step_of_b(i), b[i]);
  }
};

template <class Tile, int kGroups>
union TileMemory {
  typename Tile::Operands operands;
  TileSums<kGroups> sums;
};

// One block computes kRows rows by kGroups * kColumns columns; the grid has rows along x.
template <class Tile, int kGroups, Weight kWeight, Groups kTaken, class Finish>
__global__ void __launch_bounds__(kThreads, 2) multiply_rows(Product p, Finish finish) {
  using Memory = TileMemory<Tile, kGroups>;
  struct RowNumbers {
    int32_t of[kRows];
  };
  NGAE_SHARED(Memory, memory);
  NGAE_SHARED(RowNumbers, row);
  const int thread = static_cast<int>(threadIdx.x);
  if (thread < kRows) {
    const int64_t i = static_cast<int64_t>(blockIdx.x) * kRows + thread;
    row.of[thread] = i >= p.count ? -1 : p.rows == nullptr ? static_cast<int32_t>(i) : p.rows[i];
  }
  __syncthreads();

  Tile tile;
  Fetched<Tile, kGroups, kWeight, kTaken> next;
  next.load(p, row.of, 0);
  for (int64_t step = 0; step < p.depth; step += kStep) {
    next.put(memory.operands);
    __syncthreads();
    if (step + kStep < p.depth) next.load(p, row.of, step + kStep);
    tile.multiply(memory.operands);
    __syncthreads();
  }
  tile.store(memory.sums);
  __syncthreads();

  constexpr int kSums = kTaken == Groups::kTogether ? kGroups : 1;
  for (int i = thread; i < kRows * kColumns * (kGroups / kSums); i += kThreads) {
    const int r = i / kColumns % kRows, group = i / (kColumns * kRows);
    const int64_t column = WeightTile<kGroups, kWeight, kTaken>::first(group) + i % kColumns;
    if (row.of[r] < 0 || column >= p.width) continue;
    Sums<kSums> sums;
#pragma unroll
    for (int g = 0; g < kSums; ++g) {
      sums.value[g] =
          memory.sums.value[r * TileSums<kGroups>::kStride + (group + g) * kColumns + i % kColumns];
    }
    finish(row.of[r], column, sums);
  }
}

// Calls finish(row, column, Sums) for every row and column of the product; operands are rounded
// to bfloat16 where `bf16`.
template <int kGroups, Weight kWeight, Groups kTaken, class Finish>
void multiply(const char* name, const Product& product, bool bf16, const Finish& finish,
              cudaStream_t stream) {
  const int64_t columns = kTaken == Groups::kTogether ? kColumns : kGroups * kColumns;
  const Grid grid{divide_up(product.count, kRows), divide_up(product.width, columns), kThreads};
  if (bf16) {
    launch(name, multiply_rows<Bf16Tile<kGroups>, kGroups, kWeight, kTaken, Finish>, grid, stream,
           product, finish);
  } else {
    launch(name, multiply_rows<ExactTile<kGroups>, kGroups, kWeight, kTaken, Finish>, grid, stream,
           product, finish);
  }
}

}  // namespace ngae::cuda
