// What is executed at this moment. Written by machine.cpp, read by everything else.
#pragma once

#include <cstdint>

#include "cuda_runtime.h"

namespace emulation {

constexpr int kWarp = 32;
constexpr int kStackBytes = 1 << 16;

// Time is counted in intervals, from barrier to barrier, over all blocks of all launches: two
// accesses in one interval are ordered only if one thread made both, or lanes of one warp with a
// __syncwarp between them.
struct Now {
  bool in_kernel = false;  // a CUDA thread runs, not the host
  bool checking = true;
  const void* kernel = nullptr;
  dim3 block;
  int thread = 0;
  const char* stack = nullptr;  // lowest address, kStackBytes long
  const char* arguments = nullptr;
  size_t argument_bytes = 0;
  uint32_t interval = 1, block_start = 1, launch_start = 1;
  uint32_t warp_interval = 0;  // __syncwarps of this thread's warp in this interval
  int64_t launches = 0, accesses = 0;
};

extern Now now;

}  // namespace emulation
