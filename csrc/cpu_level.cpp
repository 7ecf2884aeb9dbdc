#include "cpu_level.h"

#include <stdexcept>

namespace ngae {

const Kernels<float>* float_kernels_baseline();
const Kernels<double>* double_kernels_baseline();
#if defined(NGAE_X86)
const Kernels<float>* float_kernels_avx2();
const Kernels<double>* double_kernels_avx2();
const Kernels<float>* float_kernels_avx512();
const Kernels<double>* double_kernels_avx512();
#endif

namespace {

struct Level {
  const char* name;
  bool available;
  const Kernels<float>* floats;
  const Kernels<double>* doubles;
};

std::vector<Level> all_levels() {
  std::vector<Level> levels{
      {"baseline", true, float_kernels_baseline(), double_kernels_baseline()}};
#if defined(NGAE_X86)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw");
  levels.push_back({"avx2", avx2, float_kernels_avx2(), double_kernels_avx2()});
  levels.push_back({"avx512", avx512, float_kernels_avx512(), double_kernels_avx512()});
#endif
  return levels;
}

Level find_level(const std::string& name) {
  std::string known;
  Level best{};
  for (const Level& level : all_levels()) {
    if (!level.available) continue;
    best = level;
    if (name == level.name) return level;
    known += (known.empty() ? "" : ", ") + std::string(level.name);
  }
  if (name.empty()) return best;
  throw std::invalid_argument("expected one of " + known + ", found " + name);
}

}  // namespace

std::vector<std::string> cpu_levels() {
  std::vector<std::string> names;
  for (const Level& level : all_levels()) {
    if (level.available) names.emplace_back(level.name);
  }
  return names;
}

template <>
const Kernels<float>& kernels<float>(const std::string& level) {
  return *find_level(level).floats;
}

template <>
const Kernels<double>& kernels<double>(const std::string& level) {
  return *find_level(level).doubles;
}

}  // namespace ngae
