// The loops over rows that dag_gru and decode share: activations, relu_dot, sums by key; the
// measurements of the machine's peak.
#include <limits>

#include "check.h"
#include "cpu_level.h"
#include "peak.h"
#include "random.h"

namespace native {
namespace {

template <class T>
void check_activations(const ngae::Kernels<T>& loops, const std::string& level) {
  Random random(13);
  auto x = random.reals<T>(64 * loops.panel, 12);
  x[0] = 0;
  x[1] = 1e30f;
  x[2] = -1e30f;
  std::vector<T> sigmoid(x.size()), tanh(x.size());
  const int64_t count = static_cast<int64_t>(x.size());
  loops.sigmoid(x.data(), sigmoid.data(), count);
  loops.tanh(x.data(), tanh.data(), count);
  std::vector<double> expected_sigmoid, expected_tanh;
  for (const T value : x) {
    expected_sigmoid.push_back(1 / (1 + std::exp(-static_cast<double>(value))));
    expected_tanh.push_back(std::tanh(static_cast<double>(value)));
  }
  check_close(sigmoid, expected_sigmoid, level, ": sigmoid");
  check_close(tanh, expected_tanh, level, ": tanh");
  std::vector<T> none(static_cast<size_t>(loops.panel), std::numeric_limits<T>::quiet_NaN());
  loops.sigmoid(none.data(), none.data(), loops.panel);
  check(std::isnan(none[0]), level, ": sigmoid hides NaN");
}

template <class T>
void check_relu_dot(const ngae::Kernels<T>& loops, const std::string& level) {
  Random random(14);
  for (int64_t panels = 1; panels < 4; ++panels) {
    const int64_t n = panels * loops.panel;
    const auto source = random.reals<T>(n), target = random.reals<T>(n),
               weight = random.reals<T>(n);
    double expected = 0;
    for (int64_t j = 0; j < n; ++j) {
      expected += static_cast<double>(weight[j]) *
                  std::max(static_cast<double>(source[j]) + static_cast<double>(target[j]), 0.0);
    }
    const T found = loops.relu_dot(source.data(), target.data(), weight.data(), n);
    check_close(std::vector<T>{found}, {expected}, level, ": relu_dot of ", n);
  }
}

template <class T>
void check_sum_by_key(const ngae::Kernels<T>& loops, const std::string& level) {
  Random random(15);
  const int64_t ld = 2 * loops.panel;
  const std::vector<int32_t> rows{0, 2, 3, 6}, key{1, 0, 1, 2, 0, 0, 1};
  const auto from = random.reals<T>(7 * ld), start = random.reals<T>(3 * ld);
  for (const bool keyed : {false, true}) {
    std::vector<T> to = start;
    std::vector<double> expected(start.begin(), start.end());
    for (const int32_t v : rows) {
      for (int64_t j = loops.panel; j < ld; ++j) {
        expected[(keyed ? key[v] : 0) * ld + j] += static_cast<double>(from[v * ld + j]);
      }
    }
    loops.sum_by_key({rows.data(), 4, keyed ? key.data() : nullptr, from.data(), ld, to.data(), ld},
                     loops.panel, ld);
    check_close(to, expected, level, ": sum_by_key");
  }
}

template <class T>
void check_rows() {
  for (const std::string& level : ngae::cpu_levels()) {
    const ngae::Kernels<T>& loops = ngae::kernels<T>({level, false, 1});
    check_activations(loops, level);
    check_relu_dot(loops, level);
    check_sum_by_key(loops, level);
  }
}

TEST(rows_float) { check_rows<float>(); }
TEST(rows_double) { check_rows<double>(); }

TEST(rates_are_measured) {
  for (const std::string& level : ngae::cpu_levels()) {
    for (const bool bf16 : {false, true}) {
      check(ngae::fma_rate({level, bf16, 2}, 10) > 0, level, ": fma_rate");
    }
  }
  check(ngae::product_rate({"", false, 2}, 1) > 0, "product_rate");
}

}  // namespace
}  // namespace native
