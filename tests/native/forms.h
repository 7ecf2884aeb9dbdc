// The forms in which a product runs: every instruction set, each with operands as they are and
// rounded to bfloat16.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "cpu_level.h"

namespace native {

// The nearest bfloat16, of even ones among equals.
inline double round_to_bf16(double x) {
  const float value = static_cast<float>(x);
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  bits = (bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000;
  float rounded;
  std::memcpy(&rounded, &bits, sizeof bits);
  return rounded;
}

struct Form {
  std::string level;
  bool bf16;
  double round(double x) const { return bf16 ? round_to_bf16(x) : x; }
};

// Double precision is never rounded.
template <class T>
std::vector<Form> forms() {
  std::vector<Form> out;
  for (const std::string& level : ngae::cpu_levels()) {
    out.push_back({level, false});
    if (sizeof(T) == 4) out.push_back({level, true});
  }
  return out;
}

}  // namespace native
