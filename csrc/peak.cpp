#include "peak.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <vector>

#include "buffer.h"
#include "packed_linear.h"
#include "parallel.h"

namespace ngae {
namespace {

// Calls work(thread) on all threads; seconds until the last is done.
template <class Work>
double seconds_of(int64_t threads, const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  parallel(threads, [&](const Team& team) { work(team.thread); });
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

double fma_rate(const Machine& machine, int64_t steps) {
  const Kernels<float>& loops = kernels<float>(machine);
  const Buffer<float> values(loops.tile_rows * loops.panel);
  for (int64_t i = 0; i < loops.tile_rows * loops.panel; ++i) {
    values.get()[i] = 0.5F / static_cast<float>(i + 1);
  }
  std::vector<double> totals(machine.threads);
  const double seconds = seconds_of(machine.threads, [&](int64_t thread) {
    totals[thread] = loops.run_fma(values.get(), steps);
  });
  return static_cast<double>(machine.threads * steps * loops.fma_operations) / seconds;
}

double product_rate(const Machine& machine, int64_t repeats) {
  constexpr int64_t size = 512, count = 112;
  const Kernels<float>& loops = kernels<float>(machine);
  const std::vector<float> weight(size * size, 0.01F), from(count * size, 0.5F);
  std::vector<int32_t> rows(count);
  std::iota(rows.begin(), rows.end(), 0);
  const PackedLinear<float> linear(weight.data(), size, size, loops);
  linear.pack({0, 1});
  const Buffer<float> to(machine.threads * count * size);
  const Buffer<float> buffers(machine.threads * loops.buffer_size);
  const double seconds = seconds_of(machine.threads, [&](int64_t thread) {
    for (int64_t i = 0; i < repeats; ++i) {
      linear.multiply(rows.data(), count, from.data(), size, to.get() + thread * count * size, size,
                      buffers.get() + thread * loops.buffer_size);
    }
  });
  return static_cast<double>(machine.threads * repeats * 2 * count * size * size) / seconds;
}

}  // namespace ngae
