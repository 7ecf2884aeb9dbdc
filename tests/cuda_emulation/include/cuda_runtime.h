// Stands where CUDA's header of this name stands, for kernels that are executed on the CPU: the
// keywords, the variables of a thread and the few runtime calls of launch.cuh. What a thread may
// ask of its block and warp is answered by ../machine.cpp, one CUDA thread being one fiber.
#pragma once

#include <cstddef>

#ifdef __CUDACC__
// The compiler instruments no copies that end up as calls, its own among them: they go through
// functions that do.
extern "C" {
void* memcpy(void* to, const void* from, size_t bytes) noexcept asm("emulation_memcpy");
void* memmove(void* to, const void* from, size_t bytes) noexcept asm("emulation_memmove");
void* memset(void* to, int value, size_t bytes) noexcept asm("emulation_memset");
}
#endif

#include <cmath>
#include <cstdint>
#include <cstring>
#include <tuple>

#define __global__ __attribute__((noinline))
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __launch_bounds__(...)

// One allocation for each declaration and block, with guard zones around it.
#define NGAE_SHARED(type, name)           \
  static const char ngae_shared_##name{}; \
  type& name =                            \
      *static_cast<type*>(::emulation::shared(&ngae_shared_##name, sizeof(type), alignof(type)))

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

enum cudaError_t { cudaSuccess = 0, cudaErrorInvalidValue = 1, cudaErrorInvalidConfiguration = 9 };
enum cudaMemcpyKind {
  cudaMemcpyHostToHost,
  cudaMemcpyHostToDevice,
  cudaMemcpyDeviceToHost,
  cudaMemcpyDeviceToDevice,
  cudaMemcpyDefault
};
enum cudaDeviceAttr {
  cudaDevAttrMultiProcessorCount = 16,
  cudaDevAttrComputeCapabilityMajor = 75,
  cudaDevAttrComputeCapabilityMinor = 76
};
struct CUstream_st;
using cudaStream_t = CUstream_st*;
struct cudaLaunchAttribute;
struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  size_t dynamicSmemBytes = 0;
  cudaStream_t stream = nullptr;
  cudaLaunchAttribute* attrs = nullptr;
  unsigned numAttrs = 0;
};

const char* cudaGetErrorName(cudaError_t error);
const char* cudaGetErrorString(cudaError_t error);
cudaError_t cudaGetLastError();
cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaGetDevice(int* device);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream = nullptr);
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream = nullptr);

namespace emulation {

struct Site {  // of a call in a kernel
  const char* file;
  int line;
};

// The same for the whole life of a fiber, so the compiler may keep them.
__attribute__((const)) dim3 thread_index();
__attribute__((const)) dim3 block_index();
__attribute__((const)) dim3 block_size();
__attribute__((const)) dim3 grid_size();

// Reads as a dim3, but asks anew each time: it takes no memory that a check could meet.
template <dim3 (*get)(), unsigned dim3::* member>
struct Component {
  operator unsigned() const { return get().*member; }
};

template <dim3 (*get)()>
struct Index {
  Component<get, &dim3::x> x;
  Component<get, &dim3::y> y;
  Component<get, &dim3::z> z;
  operator dim3() const { return get(); }
};

void* shared(const void* declaration, size_t bytes, size_t alignment);
void barrier(Site site);
// All lanes of a warp meet at `site`; only sync_warp orders their accesses to memory.
void sync_warp(Site site, unsigned mask);
uint64_t exchange(Site site, unsigned mask, uint64_t value, int source_lane);
unsigned ballot(Site site, unsigned mask, bool predicate);
void before_atomic(void* address, size_t bytes);
int lane();

// Runs `invoke(call)` once for each thread of the grid; `call` holds the kernel's arguments.
cudaError_t run(const cudaLaunchConfig_t& config, const void* kernel, void (*invoke)(void*),
                void* call, size_t call_bytes);

template <class T>
uint64_t to_word(T value) {
  static_assert(sizeof(T) <= 8);
  uint64_t word = 0;
  std::memcpy(&word, &value, sizeof(T));
  return word;
}

template <class T>
T from_word(uint64_t word) {
  T value;
  std::memcpy(&value, &word, sizeof(T));
  return value;
}

}  // namespace emulation

inline constexpr emulation::Index<emulation::thread_index> threadIdx;
inline constexpr emulation::Index<emulation::block_index> blockIdx;
inline constexpr emulation::Index<emulation::block_size> blockDim;
inline constexpr emulation::Index<emulation::grid_size> gridDim;
constexpr int warpSize = 32;

template <class... P, class... A>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(P...),
                               A&&... arguments) {
  using Call = std::pair<void (*)(P...), std::tuple<P...>>;
  Call call(kernel, std::tuple<P...>(static_cast<A&&>(arguments)...));
  const auto invoke = [](void* given) {
    Call& call = *static_cast<Call*>(given);
    std::apply(call.first, call.second);
  };
  return emulation::run(*config, reinterpret_cast<const void*>(kernel), invoke, &call,
                        sizeof(call));
}

#define NGAE_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(NGAE_SITE) { emulation::barrier({file, line}); }
inline void __syncwarp(unsigned mask = 0xFFFFFFFFu, NGAE_SITE) {
  emulation::sync_warp({file, line}, mask);
}

// A source lane outside of the segment of `width` lanes gives a lane its own value.
template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, NGAE_SITE) {
  const int segment = emulation::lane() & ~(width - 1);
  return emulation::from_word<T>(emulation::exchange({file, line}, mask, emulation::to_word(value),
                                                     segment | (source & (width - 1))));
}

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32, NGAE_SITE) {
  const int lane = emulation::lane(), source = lane ^ lanes;
  const int end = (lane & ~(width - 1)) + width;
  return emulation::from_word<T>(emulation::exchange({file, line}, mask, emulation::to_word(value),
                                                     source < end ? source : lane));
}

template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, NGAE_SITE) {
  const int lane = emulation::lane(), source = lane + static_cast<int>(delta);
  const int end = (lane & ~(width - 1)) + width;
  return emulation::from_word<T>(emulation::exchange({file, line}, mask, emulation::to_word(value),
                                                     source < end ? source : lane));
}

template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, NGAE_SITE) {
  const int lane = emulation::lane(), source = lane - static_cast<int>(delta);
  const int begin = lane & ~(width - 1);
  return emulation::from_word<T>(emulation::exchange({file, line}, mask, emulation::to_word(value),
                                                     source >= begin ? source : lane));
}

inline unsigned __ballot_sync(unsigned mask, int predicate, NGAE_SITE) {
  return emulation::ballot({file, line}, mask, predicate != 0);
}
inline int __any_sync(unsigned mask, int predicate, NGAE_SITE) {
  return emulation::ballot({file, line}, mask, predicate != 0) != 0;
}
inline int __all_sync(unsigned mask, int predicate, NGAE_SITE) {
  return emulation::ballot({file, line}, mask, predicate != 0) == 0xFFFFFFFFu;
}

template <class T>
__attribute__((no_sanitize("thread"))) T atomicAdd(T* address, T value) {
  emulation::before_atomic(address, sizeof(T));
  const T before = *address;
  *address = before + value;
  return before;
}

#include "device_functions.h"
