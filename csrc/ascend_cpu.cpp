#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <vector>

#include "ascend.h"
#include "buffer.h"
#include "dag_gru.h"
#include "packed_linear.h"
#include "parallel.h"

namespace ngae {
namespace {

constexpr int64_t kMostPoints = 56;  // of one block: they share every pass over the weights

// A predictor's weights in the form that the inner loops take.
template <class T>
struct PackedPredictor {
  const PredictorWeights<T>& weights;
  PackedLinear<T> first, second, second_back, first_back;
  int64_t ld;
  std::vector<T> first_bias, second_bias, output;  // rows of `ld` numbers, zero padding

  PackedPredictor(const PredictorWeights<T>& w, int64_t latent, const Kernels<T>& kernels)
      : weights(w),
        first(w.first, w.hidden, latent, kernels),
        second(w.second, w.hidden, w.hidden, kernels),
        second_back(w.second, w.hidden, w.hidden, kernels, true),
        first_back(w.first, latent, w.hidden, kernels, true),
        ld(row_stride(w.hidden, sizeof(T))),
        first_bias(padded(w.first_bias, 1)),
        second_bias(padded(w.second_bias, 1)),
        output(padded(w.output, w.outputs)) {}

  void pack(const Team& team) const {
    for (const PackedLinear<T>* linear : {&first, &second, &second_back, &first_back}) {
      linear->pack(team);
    }
  }

 private:
  std::vector<T> padded(const T* from, int64_t rows) const {
    std::vector<T> to(rows * ld, T{0});
    for (int64_t row = 0; row < rows; ++row) {
      std::copy_n(from + row * weights.hidden, weights.hidden, to.data() + row * ld);
    }
    return to;
  }
};

// What all points of an ascent share.
template <class T>
struct AscentModel {
  const AscentInput<T>& input;
  const Kernels<T>& kernels;
  std::vector<PackedPredictor<T>> predictors;
  int64_t latent_ld, most_ld, most_outputs, steps;
  T length, most_radius;

  AscentModel(const AscentInput<T>& in, const std::vector<PredictorWeights<T>>& weights,
              const Kernels<T>& kernels_)
      : input(in),
        kernels(kernels_),
        latent_ld(row_stride(in.latent, sizeof(T))),
        most_ld(0),
        most_outputs(0),
        steps(in.keep.empty() ? 0 : *std::max_element(in.keep.begin(), in.keep.end())),
        length(static_cast<T>(in.step_size * std::sqrt(static_cast<double>(in.latent)))),
        most_radius(static_cast<T>(1.5 * std::sqrt(static_cast<double>(in.latent)))) {
    predictors.reserve(weights.size());
    for (const PredictorWeights<T>& w : weights) {
      predictors.emplace_back(w, in.latent, kernels);
      most_ld = std::max(most_ld, predictors.back().ld);
      most_outputs = std::max(most_outputs, w.outputs);
    }
  }

  // Numbers of a block's outputs, in whole panels.
  int64_t padded_outputs(int64_t outputs) const {
    return (kMostPoints * outputs + kernels.panel - 1) / kernels.panel * kernels.panel;
  }
};

// Up to kMostPoints points on their way through all steps. Rows of the arrays are points.
template <class T>
class Block {
 public:
  explicit Block(const AscentModel<T>& model)
      : model_(model),
        rows_(kMostPoints),
        z_(kMostPoints * model.latent_ld),
        gradient_(kMostPoints * model.latent_ld),
        first_(kMostPoints * model.most_ld),
        second_(kMostPoints * model.most_ld),
        dfirst_(kMostPoints * model.most_ld),
        outputs_(model.padded_outputs(model.most_outputs)),
        buffer_(model.kernels.buffer_size) {
    std::iota(rows_.begin(), rows_.end(), 0);
  }

  // Takes points [begin, end) of the input from start to end.
  void run(int64_t begin, int64_t end, T* points) {
    const int64_t latent = model_.input.latent, ld = model_.latent_ld;
    count_ = end - begin;
    std::fill_n(z_.get(), count_ * ld, T{0});
    for (int64_t row = 0; row < count_; ++row) {
      std::copy_n(model_.input.starts + (begin + row) * latent, latent, z_.get() + row * ld);
    }
    const Rows<T> rows = rows_of(model_.predictors[0].first_back, ld);
    write(0, begin, points);
    for (int64_t step = 1; step <= model_.steps; ++step) {
      for (const PackedPredictor<T>& predictor : model_.predictors) add_gradient(predictor);
      model_.kernels.ascent_step(rows, model_.length, model_.most_radius, gradient_.get(),
                                 z_.get());
      write(step, begin, points);
    }
  }

 private:
  Rows<T> rows_of(const PackedLinear<T>& linear, int64_t ld) const {
    return {rows_.data(), count_, linear.width(), ld};
  }

  // gradient_ (+)= the gradient of the predictor's part of the score; set by the first predictor.
  void add_gradient(const PackedPredictor<T>& p) {
    const int64_t ld = p.ld;
    const Rows<T> rows = rows_of(p.second, ld);
    const OutputRows<T> output{rows, p.second_bias.data(), p.weights.outputs, p.output.data()};
    multiply(p.first, z_.get(), model_.latent_ld, first_.get(), ld);
    model_.kernels.bias_relu(rows, p.first_bias.data(), first_.get());
    multiply(p.second, first_.get(), ld, second_.get(), ld);
    fill_outputs(p, output);
    model_.kernels.output_backward(output, outputs_.get(), second_.get());
    multiply(p.second_back, second_.get(), ld, dfirst_.get(), ld);
    model_.kernels.relu_backward(rows, first_.get(), dfirst_.get());
    multiply(p.first_back, dfirst_.get(), ld, gradient_.get(), model_.latent_ld,
             &p != &model_.predictors[0]);
  }

  // outputs_[row, t] = coefficient[t] * the slope of the sigmoid at output t before it.
  void fill_outputs(const PackedPredictor<T>& p, const OutputRows<T>& output) {
    const int64_t outputs = p.weights.outputs, padded = model_.padded_outputs(outputs);
    T* value = outputs_.get();
    for (int64_t row = 0; row < count_; ++row) {
      for (int64_t t = 0; t < outputs; ++t) {
        value[row * outputs + t] =
            model_.kernels.relu_dot(second_.get() + row * p.ld, output.bias,
                                    output.weight + t * p.ld, output.rows.width) +
            p.weights.output_bias[t];
      }
    }
    std::fill(value + count_ * outputs, value + padded, T{0});
    model_.kernels.sigmoid(value, value, padded);
    for (int64_t row = 0; row < count_; ++row) {
      for (int64_t t = 0; t < outputs; ++t) {
        T& share = value[row * outputs + t];
        share = p.weights.coefficient[t] * ((1 - share) * share);
      }
    }
  }

  void multiply(const PackedLinear<T>& linear, const T* from, int64_t from_ld, T* to, int64_t to_ld,
                bool accumulate = false) {
    linear.multiply(rows_.data(), count_, from, from_ld, to, to_ld, buffer_.get(), accumulate);
  }

  // Copies the points to every place where those after `step` are wanted.
  void write(int64_t step, int64_t begin, T* points) const {
    const AscentInput<T>& input = model_.input;
    for (size_t kept = 0; kept < input.keep.size(); ++kept) {
      if (input.keep[kept] != step) continue;
      T* to = points + (static_cast<int64_t>(kept) * input.num_points + begin) * input.latent;
      for (int64_t row = 0; row < count_; ++row) {
        std::copy_n(z_.get() + row * model_.latent_ld, input.latent, to + row * input.latent);
      }
    }
  }

  const AscentModel<T>& model_;
  int64_t count_ = 0;
  std::vector<int32_t> rows_;
  Buffer<T> z_, gradient_, first_, second_, dfirst_, outputs_, buffer_;
};

}  // namespace

template <class T>
void ascend(const AscentInput<T>& input, const std::vector<PredictorWeights<T>>& predictors,
            const Machine& machine, T* points) {
  const AscentModel<T> model(input, predictors, kernels<T>(machine));
  const int64_t hidden = model.predictors[0].weights.hidden;
  const int64_t threads =
      useful_threads(machine.threads, 2 * input.num_points * model.steps * hidden * hidden);
  const int64_t blocks = std::max(std::min(threads, input.num_points),
                                  (input.num_points + kMostPoints - 1) / kMostPoints);
  std::vector<Block<T>> scratch;
  scratch.reserve(threads);
  for (int64_t thread = 0; thread < threads; ++thread) scratch.emplace_back(model);
  std::atomic<int64_t> next{0};  // threads take blocks as they come: a disturbed one takes fewer
  parallel(threads, [&](const Team& team) {
    for (const PackedPredictor<T>& predictor : model.predictors) predictor.pack(team);
    team.barrier();
    for (int64_t block = next++; block < blocks; block = next++) {
      scratch[team.thread].run(input.num_points * block / blocks,
                               input.num_points * (block + 1) / blocks, points);
    }
  });
}

template void ascend<float>(const AscentInput<float>&, const std::vector<PredictorWeights<float>>&,
                            const Machine&, float*);
template void ascend<double>(const AscentInput<double>&,
                             const std::vector<PredictorWeights<double>>&, const Machine&, double*);

}  // namespace ngae
