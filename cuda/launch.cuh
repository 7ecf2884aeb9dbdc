// How every kernel of this folder is launched, and how its shared memory is declared.
//
// Rules for kernels, so that they also run under tests/cuda_emulation, which executes one thread
// of a block after the other: blockDim is a multiple of 32; whole warps take the same way to a
// barrier or a shuffle; no thread returns before a later __syncthreads; lanes that talk through
// memory use __syncwarp; masks are full; no atomics, inline assembly or spin waits.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <stdexcept>
#include <string>

// A variable of a block. The emulation has a definition of its own, which watches every access.
#ifndef NGAE_SHARED
#define NGAE_SHARED(type, name) __shared__ type name
#endif

namespace ngae::cuda {

constexpr int kWarp = 32;
constexpr unsigned kFullMask = 0xFFFFFFFFu;

// Throws std::runtime_error naming the call, CUDA's name of the error and its description.
inline void check(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  throw std::runtime_error(std::string(call) + ": " + cudaGetErrorName(status) + ": " +
                           cudaGetErrorString(status));
}

struct Grid {
  int64_t blocks_x, blocks_y;
  int threads;  // of a block
};

inline int64_t divide_up(int64_t count, int64_t by) { return (count + by - 1) / by; }

// Starts `kernel` on `stream`; nothing where the grid is empty. Throws std::runtime_error naming
// the kernel where the device refuses.
template <class... P, class... A>
void launch(const char* name, void (*kernel)(P...), const Grid& grid, cudaStream_t stream,
            A&&... arguments) {
  if (grid.blocks_x == 0 || grid.blocks_y == 0) return;
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>(grid.blocks_x), static_cast<unsigned>(grid.blocks_y));
  config.blockDim = dim3(static_cast<unsigned>(grid.threads));
  config.stream = stream;
  check(cudaLaunchKernelEx(&config, kernel, P(arguments)...), name);
}

// Makes `device` the current one until the end of the scope.
class DeviceGuard {
 public:
  explicit DeviceGuard(int device) {
    check(cudaGetDevice(&before_), "cudaGetDevice");
    is_other_ = device != before_;
    if (is_other_) check(cudaSetDevice(device), "cudaSetDevice");
  }
  ~DeviceGuard() {
    if (is_other_) cudaSetDevice(before_);  // else it would make a context where there is none
  }
  DeviceGuard(const DeviceGuard&) = delete;
  DeviceGuard& operator=(const DeviceGuard&) = delete;

 private:
  int before_ = 0;
  bool is_other_ = false;
};

}  // namespace ngae::cuda
