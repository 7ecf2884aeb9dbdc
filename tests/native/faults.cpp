#include "faults.h"

#include <cstdint>
#include <cstdio>
#include <numeric>
#include <vector>

#include "cpu_level.h"
#include "packed_linear.h"
#include "parallel.h"

namespace native {
namespace {

constexpr int64_t kSize = 64, kRows = 5;

// A product of which each thread computes the first `rows` into an array of its own.
struct Fixture {
  const ngae::Kernels<float>& kernels = ngae::kernels<float>({"", false, 1});
  std::vector<float> weight = std::vector<float>(kSize * kSize, 1);
  std::vector<float> from = std::vector<float>(kRows * kSize, 1);
  std::vector<int32_t> rows = std::vector<int32_t>(kRows);
  ngae::PackedLinear<float> linear{weight.data(), kSize, kSize, kernels};

  Fixture() { std::iota(rows.begin(), rows.end(), 0); }

  void multiply(std::vector<float>& to) const {
    std::vector<float> buffer(kernels.buffer_size);
    linear.multiply(rows.data(), kRows, from.data(), kSize, to.data(), kSize, buffer.data());
  }
};

// The inner loop of a product writes one number past the end of its result.
void overflow() {
  const Fixture fixture;
  fixture.linear.pack({0, 1});
  std::vector<float> to(kRows * kSize - 1);
  fixture.multiply(to);
}

void undefined() {
  volatile int32_t most = INT32_MAX;
  most = most + 1;
}

// The barrier between packing and multiplying is missing.
void race() {
  const Fixture fixture;
  ngae::parallel(2, [&](const ngae::Team& team) {
    fixture.linear.pack(team);
    std::vector<float> to(kRows * kSize);
    fixture.multiply(to);
  });
}

}  // namespace

int commit_fault(const std::string& kind) {
  if (kind == "overflow") {
    overflow();
  } else if (kind == "undefined") {
    undefined();
  } else if (kind == "race") {
    race();
  } else {
    std::fprintf(stderr, "expected overflow, undefined or race, found %s\n", kind.c_str());
    return 2;
  }
  return 0;
}

}  // namespace native
