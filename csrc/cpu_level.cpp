#include "cpu_level.h"

#include <stdexcept>

#define NGAE_TABLES(level)                       \
  const Kernels<float>* float_kernels_##level(); \
  const Kernels<float>* bf16_kernels_##level();  \
  const Kernels<double>* double_kernels_##level()
#define NGAE_LEVEL_OF(level, available) \
  {#level, available, float_kernels_##level(), bf16_kernels_##level(), double_kernels_##level()}

namespace ngae {

NGAE_TABLES(baseline);
#if defined(NGAE_X86)
NGAE_TABLES(avx2);
NGAE_TABLES(avx512);
NGAE_TABLES(avx512bf16);
#endif

namespace {

struct Level {
  const char* name;
  bool available;
  const Kernels<float>* floats;
  const Kernels<float>* bf16s;
  const Kernels<double>* doubles;
};

std::vector<Level> all_levels() {
  std::vector<Level> levels{NGAE_LEVEL_OF(baseline, true)};
#if defined(NGAE_X86)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw");
  const bool avx512bf16 = avx512 && __builtin_cpu_supports("avx512bf16");
  levels.push_back(NGAE_LEVEL_OF(avx2, avx2));
  levels.push_back(NGAE_LEVEL_OF(avx512, avx512));
  levels.push_back(NGAE_LEVEL_OF(avx512bf16, avx512bf16));
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
const Kernels<float>& kernels<float>(const Machine& machine) {
  const Level level = find_level(machine.level);
  return machine.bf16 ? *level.bf16s : *level.floats;
}

template <>
const Kernels<double>& kernels<double>(const Machine& machine) {
  return *find_level(machine.level).doubles;
}

}  // namespace ngae
