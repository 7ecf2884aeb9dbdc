// Dense rows for loops that run over whole panels: used in place where a row is whole panels,
// else by a copy.
#pragma once

#include <algorithm>
#include <cstdint>

#include "buffer.h"

namespace ngae {

inline int64_t padded(int64_t columns, int64_t panel) {
  return (columns + panel - 1) / panel * panel;
}

// Rows to read, with zeros at their ends.
template <class T>
class PaddedCopy {
 public:
  PaddedCopy(const T* rows, int64_t count, int64_t columns, int64_t panel)
      : ld(padded(columns, panel)), rows_(rows), copy_(ld == columns ? 0 : count * ld) {
    if (ld == columns) return;
    for (int64_t i = 0; i < count; ++i) {
      T* to = std::copy_n(rows + i * columns, columns, copy_.get() + i * ld);
      std::fill_n(to, ld - columns, T{0});
    }
    rows_ = copy_.get();
  }
  const T* get() const { return rows_; }

  const int64_t ld;

 private:
  const T* rows_;
  Buffer<T> copy_;
};

// Rows to add to; threads share out their columns, in whole panels.
template <class T>
class PaddedSums {
 public:
  PaddedSums(T* rows, int64_t count, int64_t columns, int64_t panel)
      : ld(padded(columns, panel)),
        rows_(rows),
        count_(count),
        columns_(columns),
        copy_(ld == columns ? 0 : count * ld) {}
  T* get() const { return ld == columns_ ? rows_ : copy_.get(); }

  void clear(int64_t begin, int64_t end) const {
    for (int64_t i = 0; i < count_; ++i) {
      std::fill(get() + i * ld + begin, get() + i * ld + end, T{0});
    }
  }

  // Writes columns [begin, end) to where the caller wants them.
  void finish(int64_t begin, int64_t end) const {
    if (ld == columns_) return;
    end = std::min(end, columns_);
    for (int64_t i = 0; i < count_; ++i) {
      std::copy(get() + i * ld + begin, get() + i * ld + std::max(begin, end),
                rows_ + i * columns_ + begin);
    }
  }

  const int64_t ld;

 private:
  T* rows_;
  int64_t count_, columns_;
  Buffer<T> copy_;
};

}  // namespace ngae
