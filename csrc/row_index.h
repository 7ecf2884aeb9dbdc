// Row numbers as Python gives them, checked and narrowed.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace ngae {

// Throws std::out_of_range where a number is none of 0 .. limit - 1; says which.
inline std::vector<int32_t> row_index(const char* name, const int64_t* values, int64_t count,
                                      int64_t limit) {
  std::vector<int32_t> out(count);
  for (int64_t i = 0; i < count; ++i) {
    if (values[i] < 0 || values[i] >= limit) {
      throw std::out_of_range(std::string(name) + "[" + std::to_string(i) + "]: expected 0.." +
                              std::to_string(limit - 1) + ", found " + std::to_string(values[i]));
    }
    out[i] = static_cast<int32_t>(values[i]);
  }
  return out;
}

}  // namespace ngae
