#include <algorithm>
#include <cmath>

#include "adam.h"
#include "parallel.h"

namespace ngae {
namespace {

constexpr int64_t kChunk = 8192;  // numbers that are summed as one

// The tensors cut into chunks.
template <class T>
std::vector<AdamTensor<T>> chunks_of(const std::vector<AdamTensor<T>>& tensors) {
  std::vector<AdamTensor<T>> chunks;
  for (const AdamTensor<T>& t : tensors) {
    for (int64_t i = 0; i < t.size; i += kChunk) {
      chunks.push_back(
          {t.value + i, t.gradient + i, t.mean + i, t.square + i, std::min(kChunk, t.size - i)});
    }
  }
  return chunks;
}

template <class T>
AdamFactors<T> factors(const AdamSettings& s, double norm) {
  const double step = static_cast<double>(s.step);
  const double correction = 1 - std::pow(s.beta2, step);
  const bool fits = norm <= s.clip;  // a norm that is not a number spoils everything, as it should
  return {static_cast<T>(fits ? 1.0 : s.clip / norm),
          static_cast<T>(1 - s.beta1),
          static_cast<T>(s.beta2),
          static_cast<T>(1 - s.beta2),
          static_cast<T>(s.lr / (1 - std::pow(s.beta1, step))),
          static_cast<T>(1 / std::sqrt(correction)),
          static_cast<T>(s.epsilon)};
}

}  // namespace

template <class T>
double adam_step(const std::vector<AdamTensor<T>>& tensors, const AdamSettings& settings,
                 const Machine& machine) {
  const Kernels<T>& loops = kernels<T>(machine);
  const std::vector<AdamTensor<T>> chunks = chunks_of(tensors);
  const auto count = static_cast<int64_t>(chunks.size());
  std::vector<double> sums(chunks.size());
  double norm = 0;
  parallel(std::min(machine.threads, count / 8 + 1), [&](const Team& team) {
    for (int64_t i = team.begin(count); i < team.end(count); ++i) {
      sums[i] = static_cast<double>(loops.sum_of_squares(chunks[i].gradient, chunks[i].size));
    }
    team.barrier();
    double total = 0;
    for (const double sum : sums) total += sum;
    const AdamFactors<T> by = factors<T>(settings, std::sqrt(total));
    if (team.thread == 0) norm = std::sqrt(total);
    for (int64_t i = team.begin(count); i < team.end(count); ++i) {
      const AdamTensor<T>& c = chunks[i];
      loops.adam(by, c.size, c.gradient, c.value, c.mean, c.square);
    }
  });
  return norm;
}

template double adam_step<float>(const std::vector<AdamTensor<float>>&, const AdamSettings&,
                                 const Machine&);
template double adam_step<double>(const std::vector<AdamTensor<double>>&, const AdamSettings&,
                                  const Machine&);

}  // namespace ngae
