// Steps of Adam against the formulas in csrc/adam.h, one number after the other in double
// precision, on every instruction set.
#include <limits>

#include "adam.h"
#include "check.h"
#include "random.h"

namespace native {
namespace {

template <class T>
struct Weights {
  std::vector<T> value, mean, square;
};

template <class T>
struct State {
  std::vector<Weights<T>> tensors;
  std::vector<double> norms;  // one for each step
};

// The same numbers for float and double.
template <class T>
std::vector<T> draw(uint64_t seed, int64_t size) {
  const auto values = Random(seed).reals<float>(size);
  return {values.begin(), values.end()};
}

constexpr int64_t kSteps = 3;

ngae::AdamSettings settings(double clip, int64_t step) {
  return {3e-3, 0.9, 0.99, 1e-8, clip, step};
}

template <class T>
std::vector<Weights<T>> start(const std::vector<int64_t>& sizes) {
  std::vector<Weights<T>> out;
  for (const int64_t size : sizes) {
    out.push_back({draw<T>(29, size), std::vector<T>(size), std::vector<T>(size)});
  }
  return out;
}

template <class T>
State<T> compute(const std::vector<int64_t>& sizes, double clip, const ngae::Machine& machine) {
  State<T> out{start<T>(sizes), {}};
  for (int64_t step = 1; step <= kSteps; ++step) {
    std::vector<std::vector<T>> gradients;
    std::vector<ngae::AdamTensor<T>> views;
    for (Weights<T>& w : out.tensors) {
      const auto size = static_cast<int64_t>(w.value.size());
      gradients.push_back(draw<T>(30 + step, size));
      views.push_back(
          {w.value.data(), gradients.back().data(), w.mean.data(), w.square.data(), size});
    }
    out.norms.push_back(ngae::adam_step<T>(views, settings(clip, step), machine));
  }
  return out;
}

void naive_step(const std::vector<std::vector<double>>& gradients, const ngae::AdamSettings& s,
                State<double>& state) {
  double norm = 0;
  for (const std::vector<double>& gradient : gradients) {
    for (const double g : gradient) norm += g * g;
  }
  norm = std::sqrt(norm);
  state.norms.push_back(norm);
  const auto step = static_cast<double>(s.step);
  for (size_t i = 0; i < gradients.size(); ++i) {
    Weights<double>& w = state.tensors[i];
    for (size_t j = 0; j < w.value.size(); ++j) {
      const double g = gradients[i][j] / std::max(1.0, norm / s.clip);
      w.mean[j] += (1 - s.beta1) * (g - w.mean[j]);
      w.square[j] = s.beta2 * w.square[j] + (1 - s.beta2) * g * g;
      w.value[j] -= s.lr / (1 - std::pow(s.beta1, step)) * w.mean[j] /
                    (std::sqrt(w.square[j] / (1 - std::pow(s.beta2, step))) + s.epsilon);
    }
  }
}

State<double> naive(const std::vector<int64_t>& sizes, double clip) {
  State<double> out{start<double>(sizes), {}};
  for (int64_t step = 1; step <= kSteps; ++step) {
    std::vector<std::vector<double>> gradients;
    for (const int64_t size : sizes) gradients.push_back(draw<double>(30 + step, size));
    naive_step(gradients, settings(clip, step), out);
  }
  return out;
}

template <class T>
void check_sizes(const std::vector<int64_t>& sizes, double clip) {
  const State<double> expected = naive(sizes, clip);
  for (const std::string& level : ngae::cpu_levels()) {
    const State<T> one = compute<T>(sizes, clip, {level, false, 1});
    check_close(std::vector<T>(one.norms.begin(), one.norms.end()), expected.norms, level,
                ": norm");
    for (size_t i = 0; i < sizes.size(); ++i) {
      const std::string what = join(level, ", clip ", clip, ", size ", sizes[i]);
      check_close(one.tensors[i].value, expected.tensors[i].value, what, ": value");
      check_close(one.tensors[i].mean, expected.tensors[i].mean, what, ": mean");
      check_close(one.tensors[i].square, expected.tensors[i].square, what, ": square");
    }
    for (const int64_t threads : {2, 3}) {
      const State<T> other = compute<T>(sizes, clip, {level, false, threads});
      check_equal(other.norms, one.norms, level, ", ", threads, " threads: norm");
      for (size_t i = 0; i < sizes.size(); ++i) {
        const std::string what = join(level, ", ", threads, " threads, size ", sizes[i]);
        check_equal(other.tensors[i].value, one.tensors[i].value, what, ": value");
        check_equal(other.tensors[i].mean, one.tensors[i].mean, what, ": mean");
        check_equal(other.tensors[i].square, one.tensors[i].square, what, ": square");
      }
    }
  }
}

// The last tensor has enough chunks of 8192 for three threads.
template <class T>
void check_all() {
  check_sizes<T>({}, 1);
  check_sizes<T>({0}, 1);
  check_sizes<T>({1}, 1);
  for (const double clip : {0.5, 1e9}) check_sizes<T>({0, 1, 8191, 8193, 31, 16 * 8192 + 5}, clip);
}

TEST(adam_float) { check_all<float>(); }
TEST(adam_double) { check_all<double>(); }

TEST(adam_gradients_that_are_no_numbers) {
  for (const std::string& level : ngae::cpu_levels()) {
    std::vector<float> value(9), mean(9), square(9), gradient(9);
    gradient[8] = std::numeric_limits<float>::quiet_NaN();
    const double norm =
        ngae::adam_step<float>({{value.data(), gradient.data(), mean.data(), square.data(), 9}},
                               settings(1, 1), {level, false, 1});
    check(std::isnan(norm), level, ": norm ", norm);
    for (const float v : value) check(std::isnan(v), level, ": value ", v);
  }
}

}  // namespace
}  // namespace native
