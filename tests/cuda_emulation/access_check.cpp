#include "access_check.h"

#include <link.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "ranges.h"

namespace emulation {

namespace {

const char kCode = 0;  // a place in this library, from which instructions are counted

constexpr size_t kGuardBytes = 1 << 13;
constexpr size_t kSharedBytes = 1 << 22;

struct SharedVariable {
  const void* declaration;
  uintptr_t begin, end;
};

// Blocks take turns between two regions, so that an address from the block before is known as such.
struct SharedRegion {
  uintptr_t begin = 0, next = 0;
  std::vector<SharedVariable> variables;
};

struct Segments {  // of this library: code, constants, static variables
  uintptr_t begin = UINTPTR_MAX, end = 0;
};

Ranges ranges;
std::vector<std::pair<uintptr_t, uintptr_t>> registered;
SharedRegion regions[2];
int current_region = 0;

int add_segments(dl_phdr_info* info, size_t, void* to) {
  Segments found;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type != PT_LOAD) continue;
    found.begin = std::min<uintptr_t>(found.begin, info->dlpi_addr + header.p_vaddr);
    found.end = std::max<uintptr_t>(found.end, info->dlpi_addr + header.p_vaddr + header.p_memsz);
  }
  const uintptr_t here = reinterpret_cast<uintptr_t>(&kCode);
  if (here < found.begin || here >= found.end) return 0;
  *static_cast<Segments*>(to) = found;
  return 1;
}

const Segments& own_segments() {
  static const Segments segments = [] {
    Segments found;
    dl_iterate_phdr(add_segments, &found);
    return found;
  }();
  return segments;
}

uintptr_t number(const void* address) { return reinterpret_cast<uintptr_t>(address); }

bool inside(uintptr_t address, size_t bytes, uintptr_t begin, size_t size) {
  return address >= begin && bytes <= size && address - begin <= size - bytes;
}

// Stack, arguments, constants: memory that a thread has to itself, or that nobody writes.
bool is_private(uintptr_t address, size_t bytes, Access access) {
  if (inside(address, bytes, number(now.stack), kStackBytes)) return true;
  const Segments& own = own_segments();
  if (inside(address, bytes, own.begin, own.end - own.begin)) return true;
  return access == Access::read &&
         inside(address, bytes, number(now.arguments), now.argument_bytes);
}

Place place_of(const Touch& touch) {
  return {{nullptr, 0}, touch.interval <= 1 ? nullptr : &kCode + touch.code};
}

Touch touch_now(Access access, const void* code) {
  Touch touch;
  touch.interval = now.interval;
  touch.thread = static_cast<uint32_t>(now.thread) & 1023u;
  touch.atomic = access == Access::atomic;
  touch.warp_interval = now.warp_interval & 0x3FFFFu;
  touch.code = static_cast<int32_t>(static_cast<const char*>(code) - &kCode);
  return touch;
}

enum class Order { ordered, race_in_block, race_between_blocks };

bool same_warp(const Touch& a, const Touch& b) { return a.thread / kWarp == b.thread / kWarp; }

// Whether all accesses that `before` stands for happened before `after`.
Order order(const Touch& before, const Touch& after) {
  if (before.interval < now.launch_start) return Order::ordered;
  if (before.interval < now.block_start || before.more_blocks) return Order::race_between_blocks;
  if (before.interval < after.interval) return Order::ordered;
  if (before.more_warps || !same_warp(before, after)) return Order::race_in_block;
  if (before.warp_interval < after.warp_interval) return Order::ordered;
  const bool alone = before.thread == after.thread && !before.more_lanes;
  return alone ? Order::ordered : Order::race_in_block;
}

// A read after the reads that `before` stands for: one record for all that may still matter.
Touch with_earlier_reads(const Touch& before, Touch read) {
  if (before.interval < now.launch_start) return read;
  read.more_blocks = before.interval < now.block_start || before.more_blocks;
  if (before.interval < read.interval) return read;
  if (before.more_warps || !same_warp(before, read)) {
    read.more_warps = 1;
  } else if (before.warp_interval == read.warp_interval) {
    read.more_lanes = before.more_lanes || before.thread != read.thread;
  }
  return read;
}

void report_race(Order found, const Touch& before, const char* accesses, const void* code) {
  if (found == Order::ordered) return;
  const bool in_block = found == Order::race_in_block;
  const char* kind = in_block ? "race in block" : "race between blocks";
  const std::string by = in_block ? "thread " + std::to_string(before.thread) : "another block";
  report(kind, {{nullptr, 0}, code}, place_of(before), std::string(accesses) + " " + by);
}

void touch_cell(Cell& cell, Access access, const Touch& touch, const void* code) {
  if (access != Access::write && cell.write.interval == 0) {
    report("read of unwritten memory", {{nullptr, 0}, code});
  }
  if (access == Access::read) {
    report_race(order(cell.write, touch), cell.write, "read after a write by", code);
    cell.read = with_earlier_reads(cell.read, touch);
    return;
  }
  if (!(cell.write.atomic && touch.atomic)) {
    report_race(order(cell.write, touch), cell.write, "write after a write by", code);
  }
  report_race(order(cell.read, touch), cell.read, "write after a read by", code);
  cell.write = touch;
}

const SharedVariable* find_variable(const SharedRegion& region, uintptr_t address) {
  for (const SharedVariable& v : region.variables) {
    if (address >= v.begin && address < v.end) return &v;
  }
  return nullptr;
}

std::string neighbour(uintptr_t address) {
  const Range *below = ranges.before(address), *above = ranges.after(address);
  const auto text = [](size_t distance, const char* where, const Range& range) {
    return std::to_string(distance) + where + std::to_string(range.end - range.begin) + " bytes";
  };
  const size_t after = below == nullptr || address < below->end ? 0 : address - below->end;
  if (below != nullptr && address < below->end) return "over the end of " + text(0, " of ", *below);
  if (below != nullptr && (above == nullptr || after < above->begin - address)) {
    return text(after, " bytes after the end of ", *below);
  }
  return above == nullptr ? "" : text(above->begin - address, " bytes before ", *above);
}

void report_outside(uintptr_t address, Access access, Place place) {
  const char* verb = access == Access::read ? "read" : "write";
  if (find_variable(regions[1 - current_region], address) != nullptr) {
    report("shared variable after its block", place, {}, verb);
  } else {
    report("out of bounds", place, {}, std::string(verb) + ", " + neighbour(address));
  }
}

}  // namespace

void add_range(const void* begin, size_t bytes, bool writable, bool written) {
  if (bytes == 0) return;
  ranges.add(number(begin), bytes, writable, written);
  registered.emplace_back(number(begin), number(begin) + bytes);
}

void forget_ranges() {
  for (const auto& [begin, end] : registered) ranges.remove(begin, end);
  registered.clear();
}

int64_t unwritten_bytes(const void* begin, size_t bytes) {
  int64_t count = 0;
  for (size_t i = 0; i < bytes; ++i) {
    Range* range = ranges.find(number(begin) + i, 1);
    count += range == nullptr || range->cells(number(begin) + i, 1)[0]->write.interval == 0;
  }
  return count;
}

void start_shared() {
  current_region = 1 - current_region;
  SharedRegion& region = regions[current_region];
  if (region.begin == 0) {
    region.begin = number(mmap(nullptr, kSharedBytes, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  }
  region.next = region.begin;
  region.variables.clear();
  for (const SharedRegion& each : regions) ranges.remove(each.begin, each.begin + kSharedBytes);
}

void* declare_shared(const void* declaration, size_t bytes, size_t alignment) {
  SharedRegion& region = regions[current_region];
  for (const SharedVariable& v : region.variables) {
    if (v.declaration == declaration) return reinterpret_cast<void*>(v.begin);
  }
  alignment = std::max<size_t>(alignment, 16);
  const uintptr_t begin = (region.next + kGuardBytes + alignment - 1) / alignment * alignment;
  region.next = begin + bytes;
  region.variables.push_back({declaration, begin, begin + bytes});
  std::memset(reinterpret_cast<void*>(begin), 0xFF, bytes);
  ranges.add(begin, bytes, true, false);
  return reinterpret_cast<void*>(begin);
}

bool check_access(const void* address, size_t bytes, Access access, const void* code) {
  const uintptr_t at = number(address);
  if (is_private(at, bytes, access)) return true;
  ++now.accesses;
  const Place place{{nullptr, 0}, code};
  Range* range = ranges.find(at, bytes);
  if (range == nullptr) {
    report_outside(at, access, place);
    return false;
  }
  if (access != Access::read && !range->writable) report("write to an input", place);
  const Touch touch = touch_now(access, code);
  const auto [first, last] = range->cells(at, bytes);
  for (Cell* cell = first; cell != last; ++cell) touch_cell(*cell, access, touch, code);
  return true;
}

bool check_host(const void* address, size_t bytes, Access access, const char* call) {
  const Place place{{call, 0}, nullptr};
  if (bytes == 0) return true;
  Range* range = ranges.find(number(address), bytes);
  if (range == nullptr) {
    report_outside(number(address), access, place);
    return false;
  }
  if (access == Access::write && !range->writable) report("write to an input", place);
  const auto [first, last] = range->cells(number(address), bytes);
  for (Cell* cell = first; cell != last; ++cell) {
    if (access == Access::write) cell->write = Touch(), cell->write.interval = 1;
    if (cell->write.interval == 0) report("read of unwritten memory", place);
  }
  return true;
}

}  // namespace emulation
