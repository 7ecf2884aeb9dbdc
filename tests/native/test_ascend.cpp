// ascend: steps against plain loops; the same path for any number of threads and any neighbours.
#include "ascend.h"
#include "check.h"
#include "random.h"
#include "sweep.h"

namespace native {
namespace {

// The arrays behind ngae::PredictorWeights.
template <class T>
struct Predictor {
  int64_t hidden, outputs;
  std::vector<T> first, first_bias, second, second_bias, output, output_bias, coefficient;

  Predictor(Random& random, int64_t latent, int64_t hidden_dim, int64_t num_outputs)
      : hidden(hidden_dim), outputs(num_outputs) {
    const double scale = 2 / std::sqrt(static_cast<double>(hidden));
    first = random.reals<T>(hidden * latent, scale);
    first_bias = random.reals<T>(hidden);
    second = random.reals<T>(hidden * hidden, scale);
    second_bias = random.reals<T>(hidden);
    output = random.reals<T>(outputs * hidden, scale);
    output_bias = random.reals<T>(outputs);
    coefficient = random.reals<T>(outputs);
  }

  ngae::PredictorWeights<T> view() const {
    return {hidden,
            outputs,
            first.data(),
            first_bias.data(),
            second.data(),
            second_bias.data(),
            output.data(),
            output_bias.data(),
            coefficient.data()};
  }
};

template <class T>
std::vector<T> ascend(const std::vector<Predictor<T>>& predictors, const std::vector<T>& starts,
                      int64_t latent, const std::vector<int64_t>& keep,
                      const ngae::Machine& machine) {
  std::vector<ngae::PredictorWeights<T>> weights;
  for (const Predictor<T>& predictor : predictors) weights.push_back(predictor.view());
  const auto num_points = static_cast<int64_t>(starts.size()) / latent;
  std::vector<T> points(keep.size() * starts.size());
  ngae::ascend<T>({num_points, latent, starts.data(), 0.1, keep}, weights, machine, points.data());
  return points;
}

// Adds the gradient of the predictor's part of the score at z.
void add_gradient(const Predictor<double>& p, const double* z, std::vector<double>& gradient) {
  const int64_t n = p.hidden, latent = static_cast<int64_t>(gradient.size());
  std::vector<double> first(p.first_bias), second(p.second_bias), dsecond(n), dfirst(n);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < latent; ++j) first[i] += p.first[i * latent + j] * z[j];
    first[i] = std::max(first[i], 0.0);
  }
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) second[i] += p.second[i * n + j] * first[j];
  }
  for (int64_t t = 0; t < p.outputs; ++t) {
    double sum = p.output_bias[t];
    for (int64_t i = 0; i < n; ++i) sum += p.output[t * n + i] * std::max(second[i], 0.0);
    const double value = 1 / (1 + std::exp(-sum));
    const double slope = p.coefficient[t] * value * (1 - value);
    for (int64_t i = 0; i < n; ++i) dsecond[i] += second[i] > 0 ? slope * p.output[t * n + i] : 0;
  }
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) dfirst[j] += dsecond[i] * p.second[i * n + j];
  }
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; first[i] > 0 && j < latent; ++j) {
      gradient[j] += dfirst[i] * p.first[i * latent + j];
    }
  }
}

double norm(const std::vector<double>& x) {
  double sum = 0;
  for (const double value : x) sum += value * value;
  return std::sqrt(sum);
}

// One step of 0.1 sqrt(latent) along the gradient, then back into 1.5 sqrt(latent).
void step(const std::vector<Predictor<double>>& predictors, std::vector<double>& z) {
  std::vector<double> gradient(z.size());
  for (const Predictor<double>& p : predictors) add_gradient(p, z.data(), gradient);
  const double root = std::sqrt(static_cast<double>(z.size())), length = norm(gradient);
  for (size_t j = 0; j < z.size(); ++j) z[j] += 0.1 * root * gradient[j] / length;
  const double shrink = std::min(1.0, 1.5 * root / norm(z));
  for (double& value : z) value *= shrink;
}

TEST(ascend_takes_the_steps_of_plain_loops) {
  const std::vector<int64_t> keep{0, 3, 1, 3};
  for (const int64_t latent : {1, 7, 33}) {
    Random random(22);
    const std::vector<Predictor<double>> predictors{{random, latent, 5, 1},
                                                    {random, latent, 37, 3}};
    const auto starts = random.reals<double>(9 * latent, 2);
    std::vector<double> expected(keep.size() * starts.size());
    for (int64_t point = 0; point < 9; ++point) {
      std::vector<double> z(starts.begin() + point * latent, starts.begin() + (point + 1) * latent);
      for (int64_t done = 0; done <= 3; ++done) {
        for (size_t i = 0; i < keep.size(); ++i) {
          if (keep[i] != done) continue;
          std::copy(z.begin(), z.end(), expected.begin() + (i * 9 + point) * latent);
        }
        step(predictors, z);
      }
    }
    for (const std::string& level : ngae::cpu_levels()) {
      check_close(ascend(predictors, starts, latent, keep, {level, false, 1}), expected, level,
                  ", latent ", latent);
    }
  }
}

// 150 points are three blocks for one thread.
template <class T>
void check_same_paths() {
  constexpr int64_t latent = 10, points = 150, hidden = 33;
  check_equal(ngae::useful_threads(3, 2 * points * 13 * hidden * hidden), 3, "threads");
  Random random(23);
  const std::vector<Predictor<T>> predictors{{random, latent, hidden, 1}, {random, latent, 8, 2}};
  const auto starts = random.reals<T>(points * latent, 2);
  for (const std::string& level : ngae::cpu_levels()) {
    for (const bool bf16 : {false, sizeof(T) == 4}) {
      const auto one = ascend(predictors, starts, latent, {13}, {level, bf16, 1});
      for (const int64_t threads : {2, 3}) {
        check_equal(ascend(predictors, starts, latent, {13}, {level, bf16, threads}), one, level,
                    ", ", threads, " threads");
      }
      const std::vector<T> last(starts.end() - 5 * latent, starts.end());
      check_equal(ascend(predictors, last, latent, {13}, {level, bf16, 1}),
                  std::vector<T>(one.end() - 5 * latent, one.end()), level, ", alone");
    }
  }
}

TEST(ascend_same_paths_float) { check_same_paths<float>(); }
TEST(ascend_same_paths_double) { check_same_paths<double>(); }

TEST(ascend_nothing) {
  Random random(24);
  const std::vector<Predictor<float>> predictors{{random, 4, 5, 1}};
  check(ascend(predictors, {}, 4, {2}, {"", false, 2}).empty(), "a path from no point");
  check(ascend(predictors, std::vector<float>(8), 4, {}, {"", false, 2}).empty(), "no step kept");
}

}  // namespace
}  // namespace native
