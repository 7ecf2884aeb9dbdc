// Random numbers that are the same with every standard library.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace native {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  uint64_t bits() { return engine_(); }

  // An integer in [0, limit).
  int32_t below(int64_t limit) {
    return static_cast<int32_t>(bits() % static_cast<uint64_t>(limit));
  }

  // A number in [-1, 1).
  double real() { return static_cast<double>(bits() >> 11) * 0x1p-52 - 1; }

  template <class T>
  std::vector<T> reals(int64_t count, double scale = 1) {
    std::vector<T> out(static_cast<size_t>(count));
    for (T& value : out) value = static_cast<T>(scale * real());
    return out;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace native
