// ngae._cuda: the ops on a GPU. Takes addresses on the device, a device and a stream; knows
// nothing of torch. Waits for nothing.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <cstdint>
#include <tuple>
#include <vector>

#include "addresses.h"
#include "ascend.cuh"
#include "dag_gru.cuh"
#include "decode.cuh"
#include "launch.cuh"
#include "sum_rows.cuh"

namespace py = pybind11;

namespace {

using namespace ngae::cuda;
using ngae::at;
using ngae::graph_view;
using ngae::GraphAddresses;
using ngae::GraphSizes;
using ngae::HeadAddresses;
using ngae::HeadSizes;
using ngae::PredictorTuple;
using ngae::RuleAddresses;
using ngae::RuleChoices;
using ngae::RuleSizes;
using ngae::WeightAddresses;
using ngae::WeightSizes;

// Device, stream, whether operands of products are rounded to bfloat16.
using RunTuple = std::tuple<int, uintptr_t, bool>;

Run run_of(const RunTuple& run) {
  return {std::get<2>(run), reinterpret_cast<cudaStream_t>(std::get<1>(run))};
}

SavedStates saved_states(const std::array<uintptr_t, 3>& a) {
  return {at<float>(a[0]), at<float>(a[1]), at<float>(a[2])};
}

void forward(const RunTuple& run, const GraphAddresses& graph, const GraphSizes& graph_sizes,
             const WeightAddresses& weights, const WeightSizes& weight_sizes, uintptr_t initial,
             uintptr_t h, const std::array<uintptr_t, 3>& saved, uintptr_t message) {
  const py::gil_scoped_release release;
  const DeviceGuard guard(std::get<0>(run));
  dag_gru_forward(graph_view(graph, graph_sizes), ngae::gru_weights<float>(weights, weight_sizes),
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
  dag_gru_backward(graph_view(graph, graph_sizes), ngae::gru_weights<float>(weights, weight_sizes),
                   has_initial, run_of(run), saved_states(saved), at<const float>(dh),
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

DecodeMemory decode_memory(const std::array<uintptr_t, 16>& a) {
  const auto numbers = [&](int i) { return at<float>(a[i]); };
  return {at<int32_t>(a[0]),  numbers(1),         numbers(2),  numbers(3),
          numbers(4),         numbers(5),         numbers(6),  numbers(7),
          numbers(8),         numbers(9),         numbers(10), at<uint8_t>(a[11]),
          at<uint8_t>(a[12]), at<int32_t>(a[13]), numbers(14), numbers(15)};
}

// As of _C, the rules on the device; the types allowed on the host, addresses of DecodeMemory.
void decode_samples(const RunTuple& run, const WeightAddresses& weights,
                    const WeightSizes& weight_sizes, const HeadAddresses& heads,
                    const HeadSizes& head_sizes, const RuleAddresses& rules,
                    const RuleSizes& rule_sizes, const RuleChoices& choices,
                    const std::array<uintptr_t, 3>& in, int64_t num_samples, int64_t seed,
                    bool stochastic, uintptr_t type_allowed,
                    const std::array<uintptr_t, 16>& memory, const std::array<uintptr_t, 3>& out) {
  const py::gil_scoped_release release;
  const DeviceGuard guard(std::get<0>(run));
  const DecodeWeights decoder =
      ngae::decoder_weights(ngae::gru_weights<float>(weights, weight_sizes), heads, head_sizes);
  const ngae::RulesView view = ngae::rules_view(rules, rule_sizes, choices);
  decode({num_samples, at<const float>(in[0]), at<const float>(in[1]), at<const int64_t>(in[2]),
          static_cast<uint64_t>(seed), stochastic},
         decoder, view, at<const uint8_t>(type_allowed), run_of(run), decode_memory(memory),
         {at<int32_t>(out[0]), at<uint8_t>(out[1]), at<int32_t>(out[2])});
}

// As of _C, and addresses of AscentMemory.
void ascend_points(const RunTuple& run, uintptr_t starts, int64_t num_points, int64_t latent,
                   const std::vector<PredictorTuple>& given, double step_size,
                   const std::vector<int64_t>& keep, const std::array<uintptr_t, 5>& memory,
                   uintptr_t points) {
  const py::gil_scoped_release release;
  const DeviceGuard guard(std::get<0>(run));
  const auto own = [&](int i) { return at<float>(memory[i]); };
  ascend({num_points, latent, at<const float>(starts), step_size, keep},
         ngae::predictor_weights<float>(given), run_of(run),
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
