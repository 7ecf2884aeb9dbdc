// ngae._cuda: the ops on a GPU. Takes addresses on the device, a device and a stream; knows
// nothing of torch. Waits for nothing.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <cstdint>
#include <tuple>
#include <vector>

#include "ascend.cuh"
#include "dag_gru.cuh"
#include "decode.cuh"
#include "launch.cuh"
#include "sum_rows.cuh"

namespace py = pybind11;

namespace {

using namespace ngae::cuda;

// Addresses and sizes of tensors, in the order of the structs' members; 0 is no tensor.
using GraphAddresses = std::array<uintptr_t, 11>;
using GraphSizes = std::array<int64_t, 4>;
using WeightAddresses = std::array<uintptr_t, 9>;
using WeightSizes = std::array<int64_t, 3>;

// Device, stream, whether operands of products are rounded to bfloat16.
using RunTuple = std::tuple<int, uintptr_t, bool>;

template <class T>
T* at(uintptr_t address) {
  return reinterpret_cast<T*>(address);
}

Run run_of(const RunTuple& run) {
  return {std::get<2>(run), reinterpret_cast<cudaStream_t>(std::get<1>(run))};
}

ngae::GraphView graph_view(const GraphAddresses& a, const GraphSizes& sizes) {
  const auto ints = [&](int i) { return at<const int32_t>(a[i]); };
  return {sizes[0], sizes[1], sizes[2], sizes[3], ints(0), ints(1), ints(2), ints(3),
          ints(4),  ints(5),  ints(6),  ints(7),  ints(8), ints(9), ints(10)};
}

GruWeights gru_weights(const WeightAddresses& a, const WeightSizes& sizes) {
  const auto numbers = [&](int i) { return at<const float>(a[i]); };
  return {sizes[0],   sizes[1],   sizes[2],   numbers(0), numbers(1), numbers(2),
          numbers(3), numbers(4), numbers(5), numbers(6), numbers(7), numbers(8)};
}

SavedStates saved_states(const std::array<uintptr_t, 3>& a) {
  return {at<float>(a[0]), at<float>(a[1]), at<float>(a[2])};
}

void forward(const RunTuple& run, const GraphAddresses& graph, const GraphSizes& graph_sizes,
             const WeightAddresses& weights, const WeightSizes& weight_sizes, uintptr_t initial,
             uintptr_t h, const std::array<uintptr_t, 3>& saved, uintptr_t message) {
  const py::gil_scoped_release release;
  const DeviceGuard guard(std::get<0>(run));
  dag_gru_forward(graph_view(graph, graph_sizes), gru_weights(weights, weight_sizes),
                  at<const float>(initial), run_of(run), at<float>(h), saved_states(saved),
                  at<float>(message));
}

void backward(const RunTuple& run, const GraphAddresses& graph, const GraphSizes& graph_sizes,
              const WeightAddresses& weights, const WeightSizes& weight_sizes, bool has_initial,
              const std::array<uintptr_t, 3>& saved, uintptr_t dh,
              const std::array<uintptr_t, 4>& gradients) {
  const py::gil_scoped_release release;
  const DeviceGuard guard(std::get<0>(run));
  const auto out = [&](int i) { return at<float>(gradients[i]); };
  dag_gru_backward(graph_view(graph, graph_sizes), gru_weights(weights, weight_sizes), has_initial,
                   run_of(run), saved_states(saved), at<const float>(dh),
                   {out(0), out(1), out(2), out(3)});
}

// Rows and columns of the result; addresses of ptr, list, values and the result.
void sum(const RunTuple& run, const std::array<int64_t, 2>& sizes,
         const std::array<uintptr_t, 4>& a) {
  const py::gil_scoped_release release;
  const DeviceGuard guard(std::get<0>(run));
  sum_rows(sizes[0], sizes[1], at<const int64_t>(a[0]), at<const int64_t>(a[1]),
           at<const float>(a[2]), run_of(run).stream, at<float>(a[3]));
}

using HeadAddresses = std::array<uintptr_t, 12>;
using HeadSizes = std::array<int64_t, 3>;

// The tables of the rules on the device, and the types allowed on the host.
using RuleAddresses = std::array<uintptr_t, 5>;
using RuleSizes = std::array<int64_t, 2>;

DecodeMemory decode_memory(const std::array<uintptr_t, 14>& a) {
  const auto numbers = [&](int i) { return at<float>(a[i]); };
  return {at<int32_t>(a[0]),  numbers(1),         numbers(2),  numbers(3), numbers(4),
          numbers(5),         numbers(6),         numbers(7),  numbers(8), numbers(9),
          at<uint8_t>(a[10]), at<int32_t>(a[11]), numbers(12), numbers(13)};
}

// As of _C, and addresses of DecodeMemory.
void decode_samples(const RunTuple& run, const WeightAddresses& weights,
                    const WeightSizes& weight_sizes, const HeadAddresses& heads,
                    const HeadSizes& head_sizes, const RuleAddresses& rules,
                    const RuleSizes& rule_sizes, int32_t start_type, int32_t end_type,
                    bool loose_ends_to_end, const std::array<uintptr_t, 3>& in, int64_t num_samples,
                    int64_t seed, bool stochastic, const std::array<uintptr_t, 14>& memory,
                    const std::array<uintptr_t, 3>& out) {
  const py::gil_scoped_release release;
  const DeviceGuard guard(std::get<0>(run));
  const auto head = [&](int i) { return at<const float>(heads[i]); };
  const DecodeWeights decoder{gru_weights(weights, weight_sizes),
                              head_sizes[0],
                              head_sizes[1],
                              head_sizes[2],
                              head(0),
                              head(1),
                              head(2),
                              head(3),
                              head(4),
                              head(5),
                              head(6),
                              head(7),
                              head(8),
                              head(9),
                              head(10),
                              head(11)};
  const ngae::RulesView view{rule_sizes[0],
                             rule_sizes[1],
                             start_type,
                             end_type,
                             loose_ends_to_end,
                             at<const uint8_t>(rules[0]),
                             at<const uint8_t>(rules[1]),
                             at<const int32_t>(rules[2]),
                             at<const int32_t>(rules[3])};
  decode({num_samples, at<const float>(in[0]), at<const float>(in[1]), at<const int64_t>(in[2]),
          static_cast<uint64_t>(seed), stochastic},
         decoder, view, at<const uint8_t>(rules[4]), run_of(run), decode_memory(memory),
         {at<int32_t>(out[0]), at<uint8_t>(out[1]), at<int32_t>(out[2])});
}

// Addresses of the weights in the order of the struct's members, hidden size, number of outputs.
using PredictorTuple = std::tuple<std::array<uintptr_t, 7>, int64_t, int64_t>;

// As of _C, and addresses of AscentMemory.
void ascend_points(const RunTuple& run, uintptr_t starts, int64_t num_points, int64_t latent,
                   const std::vector<PredictorTuple>& given, double step_size,
                   const std::vector<int64_t>& keep, const std::array<uintptr_t, 5>& memory,
                   uintptr_t points) {
  const py::gil_scoped_release release;
  const DeviceGuard guard(std::get<0>(run));
  std::vector<Predictor> predictors;
  for (const auto& [a, hidden, outputs] : given) {
    predictors.push_back({hidden, outputs, at<const float>(a[0]), at<const float>(a[1]),
                          at<const float>(a[2]), at<const float>(a[3]), at<const float>(a[4]),
                          at<const float>(a[5]), at<const float>(a[6])});
  }
  const auto own = [&](int i) { return at<float>(memory[i]); };
  ascend({num_points, latent, at<const float>(starts), step_size, keep}, predictors, run_of(run),
         {own(0), own(1), own(2), own(3), own(4)}, at<float>(points));
}

int device_count() {
  int count = 0;
  check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  return count;
}

}  // namespace

PYBIND11_MODULE(_cuda, module) {
  module.doc() = "Native ops of ngae on a GPU: propagation, decoding and ascent.";
  module.def("device_count", &device_count, "Number of GPUs; RuntimeError where there is none.");
  module.def("dag_gru_forward", &forward);
  module.def("dag_gru_backward", &backward);
  module.def("sum_rows", &sum);
  module.def("decode", &decode_samples);
  module.def("ascend", &ascend_points);
}
