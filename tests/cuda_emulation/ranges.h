// Memory that kernels may touch, with a record of the last accesses beside each few bytes.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <vector>

#include "now.h"

namespace emulation {

// Who touched a cell: a thread, in its warp's interval of an interval.
struct Touch {
  uint32_t interval = 0;  // 0: nobody yet
  uint32_t thread : 10;
  uint32_t more_lanes : 1;   // also another lane in the same interval of the warp
  uint32_t more_warps : 1;   // also another warp in the same interval
  uint32_t more_blocks : 1;  // also another block of this launch
  uint32_t atomic : 1;
  uint32_t warp_interval : 18;
  int32_t code = 0;  // distance from kCode to the instruction
  Touch() : thread(0), more_lanes(0), more_warps(0), more_blocks(0), atomic(0), warp_interval(0) {}
};

struct Cell {
  Touch write, read;
};

class Range {
 public:
  Range(uintptr_t begin, size_t bytes, bool writable, bool written)
      : begin(begin), end(begin + bytes), writable(writable), cells_((bytes + 3) / 4) {
    if (!written) return;
    for (Cell& cell : cells_) cell.write.interval = 1;
  }

  bool holds(uintptr_t address, size_t bytes) const {
    return address >= begin && bytes <= end - begin && address - begin <= end - begin - bytes;
  }

  // First and last + 1 of the cells under `bytes` from `address` on. A cell covers as many bytes
  // as the narrowest access so far, at most 4.
  std::array<Cell*, 2> cells(uintptr_t address, size_t bytes) {
    while (((address - begin) | bytes) & (unit_ - 1)) halve();
    Cell* first = cells_.data() + (address - begin) / unit_;
    return {first, first + bytes / unit_};
  }

  const uintptr_t begin, end;
  const bool writable;

 private:
  void halve() {
    std::vector<Cell> finer;
    finer.reserve(2 * cells_.size());
    for (const Cell& cell : cells_) finer.insert(finer.end(), 2, cell);
    cells_ = std::move(finer);
    unit_ /= 2;
  }

  size_t unit_ = 4;
  std::vector<Cell> cells_;
};

// Disjoint ranges by address; `find` is called for each access.
class Ranges {
 public:
  Range& add(uintptr_t begin, size_t bytes, bool writable, bool written) {
    remove(begin, begin + bytes);
    return *ranges_.emplace(begin, std::make_unique<Range>(begin, bytes, writable, written))
                .first->second;
  }

  void remove(uintptr_t begin, uintptr_t end) {
    recent_ = {};
    for (auto at = ranges_.begin(); at != ranges_.end();) {
      const bool overlap = at->second->begin < end && begin < at->second->end;
      at = overlap ? ranges_.erase(at) : std::next(at);
    }
  }

  Range* find(uintptr_t address, size_t bytes) {
    Range*& recent = recent_[(address >> 12) % recent_.size()];
    if (recent != nullptr && recent->holds(address, bytes)) return recent;
    Range* range = before(address);
    if (range == nullptr || !range->holds(address, bytes)) return nullptr;
    return recent = range;
  }

  // The last range that begins at `address` or below, and the first above.
  Range* before(uintptr_t address) const {
    const auto above = ranges_.upper_bound(address);
    return above == ranges_.begin() ? nullptr : std::prev(above)->second.get();
  }
  Range* after(uintptr_t address) const {
    const auto above = ranges_.upper_bound(address);
    return above == ranges_.end() ? nullptr : above->second.get();
  }

 private:
  std::map<uintptr_t, std::unique_ptr<Range>> ranges_;
  std::array<Range*, 256> recent_{};  // by page
};

}  // namespace emulation
