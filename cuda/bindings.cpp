// ngae._cuda: the ops on a GPU. Takes addresses on the device, a device and a stream; knows
// nothing of torch. Waits for nothing.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <cstdint>
#include <tuple>

#include "dag_gru.cuh"
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
}
