#include "machine.h"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "access_check.h"
#include "fiber.h"
#include "mma.h"

namespace emulation {

Now now;

namespace {

enum class State { ready, at_barrier, at_meeting, done };
enum class Meeting { none, sync_warp, exchange, ballot, load_or_store_matrix, multiply };

struct Thread {
  explicit Thread(void (*main)()) : fiber(main) {}
  Fiber fiber;
  State state = State::done;
  Meeting meeting = Meeting::none;
  Site site{nullptr, 0};
  int meetings = 0;
};

struct Warp {
  // Two sets: a lane may arrive at the next meeting before another has read of this one.
  uint64_t word[2][kWarp];
  int arrived = 0;
  uint32_t interval = 0;
};

struct Machine {
  std::vector<std::unique_ptr<Thread>> threads;
  std::vector<Warp> warps;
  std::deque<int> ready;
  int count = 0;  // threads of a block
  bool abandoned = false;
  jmp_buf host;
  cudaLaunchConfig_t config;
  void (*invoke)(void*) = nullptr;
  void* call = nullptr;
  ThreadOrder order = ThreadOrder::forward;
  std::mt19937_64 random;
};

Machine machine;

Thread& running() { return *machine.threads[static_cast<size_t>(now.thread)]; }
Warp& running_warp() { return machine.warps[static_cast<size_t>(now.thread / kWarp)]; }

std::vector<int64_t> in_order(int64_t begin, int64_t end) {
  std::vector<int64_t> list;
  for (int64_t i = begin; i < end; ++i) list.push_back(i);
  if (machine.order == ThreadOrder::reverse) std::reverse(list.begin(), list.end());
  if (machine.order == ThreadOrder::random) {
    std::shuffle(list.begin(), list.end(), machine.random);
  }
  return list;
}

void make_ready(int begin, int end) {
  for (const int64_t i : in_order(begin, end)) {
    machine.threads[static_cast<size_t>(i)]->state = State::ready;
    machine.ready.push_back(static_cast<int>(i));
  }
}

void leave(State state) {
  running().state = state;
  running().fiber.leave(machine.host);
}

void thread_main() {
  for (;;) {
    machine.invoke(machine.call);
    leave(State::done);
  }
}

void resume(int thread) {
  now.thread = thread;
  now.stack = running().fiber.stack();
  now.warp_interval = running_warp().interval;
  now.in_kernel = true;
  running().fiber.resume(machine.host);
  now.in_kernel = false;
}

bool same(Site a, Site b) { return a.line == b.line && std::strcmp(a.file, b.file) == 0; }

// All lanes stand at one call, the last one just arrived.
bool warp_is_together(int first) {
  const Thread& one = *machine.threads[static_cast<size_t>(first)];
  for (int lane = 1; lane < kWarp; ++lane) {
    const Thread& other = *machine.threads[static_cast<size_t>(first + lane)];
    if (other.meeting != one.meeting || !same(other.site, one.site)) return false;
  }
  return true;
}

using Resolve = void (*)(Site site, uint64_t* words);

// Waits for the other lanes; gives the words of all lanes.
const uint64_t* meet(Meeting meeting, Site site, unsigned mask, uint64_t word,
                     Resolve resolve = nullptr) {
  if (mask != 0xFFFFFFFFu) report("mask that is not full", {site, nullptr});
  Thread& thread = running();
  Warp& warp = running_warp();
  uint64_t* words = warp.word[thread.meetings++ % 2];
  words[now.thread % kWarp] = word;
  thread.site = site;
  thread.meeting = meeting;
  thread.state = State::at_meeting;
  const int first = now.thread / kWarp * kWarp;
  if (++warp.arrived < kWarp || !warp_is_together(first)) {
    leave(State::at_meeting);
    return words;
  }
  warp.arrived = 0;
  if (resolve != nullptr) resolve(site, words);
  if (meeting == Meeting::sync_warp) ++warp.interval;
  make_ready(first, first + kWarp);
  leave(State::ready);
  return words;
}

void start_interval() {
  ++now.interval;
  for (Warp& warp : machine.warps) warp.interval = 0;
  make_ready(0, machine.count);
}

bool all_at_one_barrier() {
  const Site site = machine.threads[0]->site;
  for (int i = 0; i < machine.count; ++i) {
    const Thread& thread = *machine.threads[static_cast<size_t>(i)];
    if (thread.state != State::at_barrier || !same(thread.site, site)) return false;
  }
  return true;
}

bool all_done() {
  for (int i = 0; i < machine.count; ++i) {
    if (machine.threads[static_cast<size_t>(i)]->state != State::done) return false;
  }
  return true;
}

// Nobody can go on: names the smallest group that waits, and what all the others do.
void report_stuck() {
  using Group = std::tuple<State, std::string, int>;
  std::map<Group, std::vector<int>> groups;
  for (int i = 0; i < machine.count; ++i) {
    const Thread& t = *machine.threads[static_cast<size_t>(i)];
    const bool done = t.state == State::done;
    groups[{t.state, done ? "" : t.site.file, done ? 0 : t.site.line}].push_back(i);
  }
  std::vector<const Thread*> waiting;
  std::string detail;
  bool in_warp = false;
  size_t fewest = SIZE_MAX;
  for (const auto& [group, members] : groups) {
    const auto& [state, file, line] = group;
    const Thread* thread = machine.threads[static_cast<size_t>(members[0])].get();
    const std::string where = file.substr(file.rfind('/') + 1) + ":" + std::to_string(line);
    detail += std::to_string(members.size()) + " threads " +
              (state == State::done ? "have left; " : "wait at " + where + "; ");
    if (state == State::done) continue;
    in_warp = in_warp || state == State::at_meeting;
    waiting.insert(members.size() < fewest ? waiting.begin() : waiting.end(), thread);
    if (members.size() < fewest) now.thread = members[0];
    fewest = std::min(fewest, members.size());
  }
  const Place other{waiting.size() > 1 ? waiting[1]->site : Site{nullptr, 0}, nullptr};
  report(in_warp ? "divergent warp" : "divergent barrier", {waiting[0]->site, nullptr}, other,
         detail);
}

void start_block(unsigned x, unsigned y) {
  now.block = dim3(x, y);
  now.block_start = now.interval + 1;
  machine.abandoned = false;
  machine.warps.assign(static_cast<size_t>(machine.count / kWarp), Warp());
  machine.ready.clear();
  start_shared();
  start_interval();
}

void run_block(unsigned x, unsigned y) {
  start_block(x, y);
  for (;;) {
    while (!machine.ready.empty() && !machine.abandoned) {
      const int thread = machine.ready.front();
      machine.ready.pop_front();
      resume(thread);
    }
    if (machine.abandoned || all_done()) break;
    if (!all_at_one_barrier()) {
      report_stuck();
      break;
    }
    start_interval();
  }
  for (int i = 0; i < machine.count; ++i) {
    Thread& thread = *machine.threads[static_cast<size_t>(i)];
    if (thread.state != State::done) thread.fiber.restart();
    thread.state = State::done;
    thread.meetings = 0;
  }
}

}  // namespace

void set_order(ThreadOrder order, uint64_t seed) {
  machine.order = order;
  machine.random.seed(seed);
}

void abandon_block() {
  machine.abandoned = true;
  leave(State::at_meeting);
  __builtin_unreachable();
}

dim3 thread_index() {
  const auto thread = static_cast<unsigned>(now.thread);
  const dim3 size = machine.config.blockDim;
  return {thread % size.x, thread / size.x % size.y, thread / size.x / size.y};
}
dim3 block_index() { return {now.block.x, now.block.y, 0}; }
dim3 block_size() { return machine.config.blockDim; }
dim3 grid_size() { return machine.config.gridDim; }
int lane() { return now.thread % kWarp; }

void* shared(const void* declaration, size_t bytes, size_t alignment) {
  return declare_shared(declaration, bytes, alignment);
}

void barrier(Site site) {
  running().site = site;
  leave(State::at_barrier);
}

void sync_warp(Site site, unsigned mask) { meet(Meeting::sync_warp, site, mask, 0); }

uint64_t exchange(Site site, unsigned mask, uint64_t value, int source_lane) {
  return meet(Meeting::exchange, site, mask, value)[source_lane % kWarp];
}

unsigned ballot(Site site, unsigned mask, bool predicate) {
  const uint64_t* words = meet(Meeting::ballot, site, mask, predicate);
  unsigned votes = 0;
  for (int lane = 0; lane < kWarp; ++lane) votes |= static_cast<unsigned>(words[lane]) << lane;
  return votes;
}

void check_matrix(Site site, const void* pointer, unsigned ldm, size_t element_bytes) {
  const auto all_equal = [](Site where, uint64_t* words) {
    for (int lane = 1; lane < kWarp; ++lane) {
      if (words[lane] != words[0]) return report("matrix differs between lanes", {where, nullptr});
    }
  };
  const auto address = reinterpret_cast<uintptr_t>(pointer);
  meet(Meeting::load_or_store_matrix, site, 0xFFFFFFFFu, address ^ (uint64_t{ldm} << 48),
       all_equal);
  const Place place{site, nullptr};
  if (address % 32 != 0) report("misaligned matrix", place, {}, "pointer not of 32 bytes");
  if (ldm * element_bytes % 16 != 0) report("misaligned matrix", place, {}, "ldm not of 16 bytes");
}

void multiply(Site site, Operands operands) {
  const auto product = [](Site, uint64_t* words) {
    Operands given[kWarp];
    float a[256], b[256], sum[256];
    for (int i = 0; i < 256; ++i) {
      given[i % kWarp] = *reinterpret_cast<const Operands*>(words[i % kWarp]);
      a[i] = __bfloat162float(given[i % kWarp].a[i / kWarp]);
      b[i] = __bfloat162float(given[i % kWarp].b[i / kWarp]);
      sum[i] = given[i % kWarp].c[i / kWarp];
    }
    for (int row = 0; row < 16; ++row) {
      for (int k = 0; k < 16; ++k) {
        for (int j = 0; j < 16; ++j) sum[row * 16 + j] += a[row * 16 + k] * b[k * 16 + j];
      }
    }
    for (int i = 0; i < 256; ++i) given[i % kWarp].d[i / kWarp] = sum[i];
  };
  meet(Meeting::multiply, site, 0xFFFFFFFFu, reinterpret_cast<uint64_t>(&operands), product);
}

cudaError_t run(const cudaLaunchConfig_t& config, const void* kernel, void (*invoke)(void*),
                void* call, size_t call_bytes) {
  const dim3 grid = config.gridDim, block = config.blockDim;
  const uint64_t threads = uint64_t{block.x} * block.y * block.z;
  const bool fits = threads > 0 && threads <= 1024 && threads % kWarp == 0 && grid.x > 0 &&
                    grid.x < (1u << 31) && grid.y > 0 && grid.y < (1u << 16) && grid.z == 1;
  if (!fits) return cudaErrorInvalidConfiguration;
  machine.config = config;
  machine.count = static_cast<int>(threads);
  machine.invoke = invoke;
  machine.call = call;
  while (machine.threads.size() < threads) {
    machine.threads.push_back(std::make_unique<Thread>(thread_main));
  }
  now.kernel = kernel;
  now.arguments = static_cast<const char*>(call);
  now.argument_bytes = call_bytes;
  now.launch_start = now.interval + 1;
  ++now.launches;
  for (const int64_t i : in_order(0, int64_t{grid.x} * grid.y)) {
    run_block(static_cast<unsigned>(i % grid.x), static_cast<unsigned>(i / grid.x));
  }
  now.kernel = nullptr;
  now.launch_start = now.interval + 1;
  return cudaSuccess;
}

}  // namespace emulation
