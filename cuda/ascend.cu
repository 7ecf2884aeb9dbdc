#include <algorithm>
#include <cmath>

#include "ascend.cuh"
#include "cell_math.cuh"
#include "rows.cuh"

namespace ngae::cuda {
namespace {

constexpr int kPoints = 8;  // of a block: one warp each

// The point of this thread's warp; may lie beyond the last.
__device__ int64_t point_of_warp() {
  return static_cast<int64_t>(blockIdx.x) * kPoints + threadIdx.x / kWarp;
}

__device__ int64_t lane_of_thread() { return threadIdx.x % kWarp; }

// From the second layer (num_points, hidden) of a predictor to the gradient of its part of the
// score, before relu. Each lane goes over its own columns again for each output.
__global__ void __launch_bounds__(kPoints* kWarp)
    output_backward(int64_t num_points, Predictor p, const float* second, float* dsecond) {
  const int64_t point = point_of_warp(), lane = lane_of_thread();
  if (point >= num_points) return;
  const float* from = second + point * p.hidden;
  float* to = dsecond + point * p.hidden;
  for (int64_t t = 0; t < p.outputs; ++t) {
    const float* weight = p.output + t * p.hidden;
    float sum = 0.0f;
    for (int64_t j = lane; j < p.hidden; j += kWarp) sum = fmaf(from[j], weight[j], sum);
    const float share = DeviceMath::sigmoid(warp_sum(sum) + p.output_bias[t]);
    const float slope = p.coefficient[t] * ((1.0f - share) * share);
    for (int64_t j = lane; j < p.hidden; j += kWarp) {
      const float before = t == 0 ? 0.0f : to[j];
      to[j] = fmaf(slope, weight[j], before);
    }
  }
  for (int64_t j = lane; j < p.hidden; j += kWarp) {
    if (from[j] <= 0.0f) to[j] = 0.0f;
  }
}

// In place of a layer after relu: the gradient of what it was before.
struct BackThroughRelu {
  float* layer;
  int64_t stride;

  __device__ void operator()(int32_t row, int64_t j, const Sums<1>& sum) const {
    float& at = layer[row * stride + j];
    at = at <= 0.0f ? 0.0f : sum.value[0];
  }
};

// to (+)= sum.
struct StoreOrAdd {
  float* to;
  int64_t stride;
  bool adds;

  __device__ void operator()(int32_t row, int64_t j, const Sums<1>& sum) const {
    float& at = to[row * stride + j];
    at = adds ? at + sum.value[0] : sum.value[0];
  }
};

// Length of a row, at least 1e-12; keeps what is not a number.
__device__ float row_norm(float squares) {
  const float norm = sqrtf(squares);
  return norm < 1e-12f ? 1e-12f : norm;
}

// Moves each point (num_points, latent) by `length` along its gradient, at most to `most`.
__global__ void __launch_bounds__(kPoints* kWarp)
    take_step(int64_t num_points, int64_t latent, float length, float most, const float* gradient,
              float* z) {
  const int64_t point = point_of_warp(), lane = lane_of_thread();
  if (point >= num_points) return;
  const float* g = gradient + point * latent;
  float* row = z + point * latent;
  float squares = 0.0f;
  for (int64_t j = lane; j < latent; j += kWarp) squares = fmaf(g[j], g[j], squares);
  const float norm = row_norm(warp_sum(squares));
  squares = 0.0f;
  for (int64_t j = lane; j < latent; j += kWarp) {
    const float moved = row[j] + length * g[j] / norm;
    squares = fmaf(moved, moved, squares);
    row[j] = moved;
  }
  const float shrink = most / row_norm(warp_sum(squares));
  if (!(shrink < 1.0f)) return;
  for (int64_t j = lane; j < latent; j += kWarp) row[j] *= shrink;
}

// The host's part: which kernels each step needs.
class Climb {
 public:
  Climb(const AscentInput<float>& input, const Run& run, const AscentMemory& memory, float* points)
      : input_(input),
        run_(run),
        memory_(memory),
        points_(points),
        length_(static_cast<float>(input.step_size * scale())),
        most_radius_(static_cast<float>(1.5 * scale())) {}

  void start() const {
    copy(input_.starts, memory_.z);
    write(0);
  }

  // gradient (+)= the gradient of the predictor's part of the score; set where `is_first`.
  void add_gradient(const Predictor& p, bool is_first) const {
    const int64_t count = input_.num_points, latent = input_.latent, hidden = p.hidden;
    multiply_whole<Weight::kRows>("first", memory_.z, count, p.first, latent, hidden, run_,
                                  StoreRelu{p.first_bias, 0, memory_.first, hidden});
    multiply_whole<Weight::kRows>("second", memory_.first, count, p.second, hidden, hidden, run_,
                                  StoreRelu{p.second_bias, 0, memory_.second, hidden});
    launch("output_backward", output_backward, grid(), run_.stream, count, p, memory_.second,
           memory_.dsecond);
    multiply_whole<Weight::kColumns>("second_backward", memory_.dsecond, count, p.second, hidden,
                                     hidden, run_, BackThroughRelu{memory_.first, hidden});
    multiply_whole<Weight::kColumns>("first_backward", memory_.first, count, p.first, hidden,
                                     latent, run_, StoreOrAdd{memory_.gradient, latent, !is_first});
  }

  void step(int64_t number) const {
    launch("take_step", take_step, grid(), run_.stream, input_.num_points, input_.latent, length_,
           most_radius_, memory_.gradient, memory_.z);
    write(number);
  }

 private:
  double scale() const { return std::sqrt(static_cast<double>(input_.latent)); }

  Grid grid() const { return {divide_up(input_.num_points, kPoints), 1, kPoints * kWarp}; }

  void copy(const float* from, float* to) const {
    const size_t bytes = sizeof(float) * input_.num_points * input_.latent;
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, run_.stream),
          "cudaMemcpyAsync");
  }

  // Copies the points to every place where those after `step` are wanted.
  void write(int64_t step) const {
    for (size_t kept = 0; kept < input_.keep.size(); ++kept) {
      if (input_.keep[kept] != step) continue;
      copy(memory_.z, points_ + kept * input_.num_points * input_.latent);
    }
  }

  const AscentInput<float>& input_;
  Run run_;
  AscentMemory memory_;
  float* points_;
  float length_, most_radius_;
};

}  // namespace

void ascend(const AscentInput<float>& input, const std::vector<Predictor>& predictors,
            const Run& run, const AscentMemory& memory, float* points) {
  if (input.num_points == 0 || input.keep.empty()) return;
  const int64_t steps = *std::max_element(input.keep.begin(), input.keep.end());
  const Climb climb(input, run, memory, points);
  climb.start();
  for (int64_t step = 1; step <= steps; ++step) {
    for (const Predictor& predictor : predictors) {
      climb.add_gradient(predictor, &predictor == predictors.data());
    }
    climb.step(step);
  }
}

}  // namespace ngae::cuda
