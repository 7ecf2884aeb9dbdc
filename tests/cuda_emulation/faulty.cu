// Kernels that are right, and wrong in one way each where kFaulty: what the checker must see. The
// line that is to be named ends in "fault: " and the kernel's name.
#include <mma.h>

#include <cstdint>
#include <cstring>

#include "launch.cuh"

namespace wmma = nvcuda::wmma;
using ngae::cuda::kFullMask;
using ngae::cuda::kWarp;

namespace {

constexpr int kThreads = 64;
using Row = float[kThreads];

// in, scratch, out (rows, columns); one block for each row, up to kThreads columns.
struct Arrays {
  const float* in;
  int64_t rows, columns;
  float *scratch, *out;

  __device__ int64_t at(int64_t column) const { return blockIdx.x * columns + column; }
  __device__ bool has(int64_t column) const { return column < columns; }
};

// out = in with each row reversed.
template <bool kFaulty>
__global__ void missing_barrier(Arrays p) {
  NGAE_SHARED(Row, row);
  const unsigned t = threadIdx.x;
  if (p.has(t)) row[t] = p.in[p.at(t)];
  if (!kFaulty) __syncthreads();
  if (p.has(t)) p.out[p.at(t)] = row[p.columns - 1 - t];  // fault: missing_barrier
}

// out = 1; two rows a block, a warp each.
template <bool kFaulty>
__global__ void row_guard(Arrays p) {
  const int64_t row = int64_t{blockIdx.x} * 2 + threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  if (row > p.rows || (!kFaulty && row == p.rows) || !p.has(lane)) return;
  p.out[row * p.columns + lane] = 1.0f;  // fault: row_guard
}

// out[row, 0] = sum of the row.
template <bool kFaulty>
__global__ void tail_mask(Arrays p) {
  float sum = 0.0f;
  for (int64_t j = threadIdx.x; j < (kFaulty ? kThreads : p.columns); j += kWarp) {
    if (threadIdx.x < kWarp) sum += p.in[p.at(j)];  // fault: tail_mask
  }
  for (int lanes = kWarp / 2; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(kFullMask, sum, lanes);
  if (threadIdx.x == 0) p.out[p.at(0)] = sum;
}

// out = in.
template <bool kFaulty>
__global__ void divergent_barrier(Arrays p) {
  const unsigned t = threadIdx.x;
  if (!kFaulty || t < 20) __syncthreads();  // fault: divergent_barrier
  if (p.has(t)) p.out[p.at(t)] = p.in[p.at(t)];
}

// out = in, for half of the threads by another barrier.
template <bool kFaulty>
__global__ void two_barriers(Arrays p) {
  const unsigned t = threadIdx.x;
  if (kFaulty && t < kWarp) {
    __syncthreads();  // fault: two_barriers
  } else {
    __syncthreads();
  }
  if (p.has(t)) p.out[p.at(t)] = p.in[p.at(t)];
}

// out[row, j] = in[row, (j + 1) % columns].
template <bool kFaulty>
__global__ void shared_index(Arrays p) {
  NGAE_SHARED(Row, row);
  const unsigned t = threadIdx.x;
  row[t] = p.has(t) ? p.in[p.at(t)] : 0.0f;
  if (t == 0) row[p.columns % kThreads] = row[0];
  __syncthreads();
  const int64_t next = kFaulty ? t + 1 : (t + 1) % kThreads;
  const float value = row[next];  // fault: shared_index
  if (p.has(t)) p.out[p.at(t)] = value;
}

// out[0, 0] += sum of in[:, 0].
template <bool kFaulty>
__global__ void sum_over_blocks(Arrays p) {
  if (threadIdx.x != 0) return;
  if (kFaulty) {
    p.out[0] += p.in[p.at(0)];  // fault: sum_over_blocks
  } else {
    atomicAdd(p.out, p.in[p.at(0)]);
  }
}

// out = in with each piece of 32 columns reversed.
template <bool kFaulty>
__global__ void missing_syncwarp(Arrays p) {
  NGAE_SHARED(Row, row);
  const unsigned t = threadIdx.x, lane = t % kWarp;
  row[t] = p.in[p.at(t)];
  if (!kFaulty) __syncwarp();
  p.out[p.at(t)] = row[t - lane + kWarp - 1 - lane];  // fault: missing_syncwarp
}

// A shuffle does not order accesses to memory.
template <bool kFaulty>
__global__ void shuffle_for_syncwarp(Arrays p) {
  NGAE_SHARED(Row, row);
  const unsigned t = threadIdx.x;
  row[t] = p.in[p.at(t)];
  const float other = __shfl_xor_sync(kFullMask, row[t], 1);
  if (!kFaulty) __syncwarp();
  p.out[p.at(t)] = row[t ^ 1u] - other + p.in[p.at(t)];  // fault: shuffle_for_syncwarp
}

// out[row, j] = in[row, j] + in[row, kThreads - 1 - j], 0 beyond the columns.
template <bool kFaulty>
__global__ void unwritten_shared(Arrays p) {
  NGAE_SHARED(Row, row);
  const unsigned t = threadIdx.x;
  if (p.has(t)) row[t] = p.in[p.at(t)];
  if (!kFaulty && !p.has(t)) row[t] = 0.0f;
  __syncthreads();
  if (p.has(t)) p.out[p.at(t)] = row[t] + row[kThreads - 1 - t];  // fault: unwritten_shared
}

// out = in.
template <bool kFaulty>
__global__ void written_input(Arrays p) {
  const unsigned t = threadIdx.x;
  if (!p.has(t)) return;
  p.out[p.at(t)] = p.in[p.at(t)];
  if (kFaulty) const_cast<float*>(p.in)[p.at(t)] = 0.0f;  // fault: written_input
}

// out = in.
template <bool kFaulty>
__global__ void half_warp_leaves(Arrays p) {
  const unsigned t = threadIdx.x;
  if (p.has(t)) p.out[p.at(t)] = p.in[p.at(t)];
  if (kFaulty && t % kWarp >= kWarp / 2) return;
  __syncthreads();  // fault: half_warp_leaves
}

// out[row, j] = in[row, j ^ 1].
template <bool kFaulty>
__global__ void half_warp_at_shuffle(Arrays p) {
  const unsigned t = threadIdx.x;
  float value = p.in[p.at(t)];
  if (!kFaulty || t % kWarp < 16) {
    value = __shfl_xor_sync(kFullMask, value, 1);  // fault: half_warp_at_shuffle
  }
  p.out[p.at(t)] = value;
}

// out[row, j] = in[row, j ^ 1].
template <bool kFaulty>
__global__ void partial_mask(Arrays p) {
  const unsigned t = threadIdx.x, mask = kFaulty ? 0xFFFFu : kFullMask;
  p.out[p.at(t)] = __shfl_xor_sync(mask, p.in[p.at(t)], 1);  // fault: partial_mask
}

// out = in, 256 numbers at once; the fault begins at the second number.
template <bool kFaulty>
__global__ void misaligned_matrix(Arrays p) {
  if (blockIdx.x != 0 || threadIdx.x >= kWarp) return;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> f;
  const float* from = p.in + (kFaulty ? 1 : 0);
  wmma::load_matrix_sync(f, from, 16, wmma::mem_row_major);  // fault: misaligned_matrix
  wmma::store_matrix_sync(p.out, f, 16, wmma::mem_row_major);
}

// out = in, two numbers at once; the fault begins at the second number.
template <bool kFaulty>
__global__ void misaligned_pair(Arrays p) {
  const int64_t i = p.at(2 * int64_t{threadIdx.x}) + (kFaulty ? 1 : 0);
  if (!p.has(2 * int64_t{threadIdx.x} + 2)) return;
  const float2 pair = *reinterpret_cast<const float2*>(p.in + i);  // fault: misaligned_pair
  p.out[i] = pair.x;
  p.out[i + 1] = pair.y;
}

// out = in, by way of scratch, which a second launch reads.
template <bool kFaulty>
__global__ void unwritten_row(Arrays p) {
  const unsigned t = threadIdx.x;
  if ((kFaulty && blockIdx.x + 1 == p.rows) || !p.has(t)) return;
  p.scratch[p.at(t)] = p.in[p.at(t)];
}
__global__ void copy_scratch(Arrays p) {
  const unsigned t = threadIdx.x;
  if (p.has(t)) p.out[p.at(t)] = p.scratch[p.at(t)];  // fault: unwritten_row
}

// out[i] = in[i] + in[i + 1], the last one in[i].
template <bool kFaulty>
__global__ void past_the_end(Arrays p) {
  const int64_t i = p.at(threadIdx.x), last = p.rows * p.columns - 1;
  if (!p.has(threadIdx.x)) return;
  float next = 0.0f;
  if (kFaulty || i < last) next = p.in[i + 1];  // fault: past_the_end
  p.out[i] = p.in[i] + next;
}

// out[row, 0] = in[row, 0], which the fault takes from the block before, whichever that was.
template <bool kFaulty>
__global__ void shared_after_block(Arrays p) {
  NGAE_SHARED(Row, row);
  if (threadIdx.x != 0) return;
  row[0] = p.in[p.at(0)];
  uintptr_t from = UINTPTR_MAX;
  if (kFaulty) std::memcpy(&from, p.scratch, sizeof(from));
  if (from == UINTPTR_MAX) from = reinterpret_cast<uintptr_t>(row);
  p.out[p.at(0)] = *reinterpret_cast<const float*>(from);  // fault: shared_after_block
  from = reinterpret_cast<uintptr_t>(row);
  if (kFaulty) std::memcpy(p.scratch, &from, sizeof(from));
}

// out[0, 0] = 1, by many threads where faulty.
template <bool kFaulty>
__global__ void same_value(Arrays p) {
  if (kFaulty || p.at(threadIdx.x) == 0) p.out[0] = 1.0f;  // fault: same_value
}

// out = in; the fault reads address 0.
template <bool kFaulty>
__global__ void null_pointer(Arrays p) {
  const float* from = kFaulty ? nullptr : p.in;
  asm("" : "+r"(from));  // or else the compiler sees what the fault is
  if (p.has(threadIdx.x))
    p.out[p.at(threadIdx.x)] = from[p.at(threadIdx.x)];  // fault: null_pointer
}

struct Kernel {
  const char* name;
  void (*right)(Arrays);
  void (*faulty)(Arrays);
};

#define NGAE_KERNEL(name) {#name, name<false>, name<true>}
constexpr Kernel kKernels[] = {NGAE_KERNEL(missing_barrier),
                               NGAE_KERNEL(row_guard),
                               NGAE_KERNEL(tail_mask),
                               NGAE_KERNEL(divergent_barrier),
                               NGAE_KERNEL(two_barriers),
                               NGAE_KERNEL(shared_index),
                               NGAE_KERNEL(sum_over_blocks),
                               NGAE_KERNEL(missing_syncwarp),
                               NGAE_KERNEL(shuffle_for_syncwarp),
                               NGAE_KERNEL(unwritten_shared),
                               NGAE_KERNEL(written_input),
                               NGAE_KERNEL(half_warp_leaves),
                               NGAE_KERNEL(half_warp_at_shuffle),
                               NGAE_KERNEL(partial_mask),
                               NGAE_KERNEL(misaligned_matrix),
                               NGAE_KERNEL(misaligned_pair),
                               NGAE_KERNEL(unwritten_row),
                               NGAE_KERNEL(past_the_end),
                               NGAE_KERNEL(shared_after_block),
                               NGAE_KERNEL(same_value),
                               NGAE_KERNEL(null_pointer)};

}  // namespace

extern "C" int faulty_nothing() {
  return 0;  // never executed
}

extern "C" void faulty_run(const char* name, int faulty, const float* in, int64_t rows,
                           int64_t columns, float* scratch, float* out) {
  const Arrays arrays{in, rows, columns, scratch, out};
  const ngae::cuda::Grid grid{rows, 1, kThreads};
  for (const Kernel& kernel : kKernels) {
    if (std::strcmp(kernel.name, name) != 0) continue;
    ngae::cuda::launch(name, faulty ? kernel.faulty : kernel.right, grid, nullptr, arrays);
    if (std::strcmp(name, "unwritten_row") == 0) {
      ngae::cuda::launch("copy_scratch", copy_scratch, grid, nullptr, arrays);
    }
  }
}
