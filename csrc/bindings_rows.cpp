// The functions of the ops on rows. Sizes and addresses come in the order of the structs' members.
#include <array>
#include <vector>

#include "adam.h"
#include "bindings.h"
#include "gather_rows.h"
#include "grouped_linear.h"
#include "linear.h"
#include "pair_scores.h"

namespace py = pybind11;

namespace ngae {
namespace {

using LinearSizes = std::array<int64_t, 3>;
using LinearAddresses = std::array<uintptr_t, 3>;

template <class T>
void forward_linear(const LinearSizes& sizes, const MachineTuple& machine,
                    const LinearAddresses& in, uintptr_t out) {
  const py::gil_scoped_release release;
  linear_forward<T>({sizes[0], sizes[1], sizes[2]}, machine_of(machine), at<const T>(in[0]),
                    at<const T>(in[1]), at<const T>(in[2]), at<T>(out));
}

template <class T>
void backward_linear(const LinearSizes& sizes, const MachineTuple& machine,
                     const LinearAddresses& in, const LinearAddresses& out) {
  const py::gil_scoped_release release;
  linear_backward<T>({sizes[0], sizes[1], sizes[2]}, machine_of(machine), at<const T>(in[0]),
                     at<const T>(in[1]), at<const T>(in[2]),
                     {at<T>(out[0]), at<T>(out[1]), at<T>(out[2])});
}

using GroupedSizes = std::array<int64_t, 4>;  // groups, then those of a group

template <class T>
void forward_grouped(const GroupedSizes& sizes, const MachineTuple& machine,
                     const LinearAddresses& in, uintptr_t out) {
  const py::gil_scoped_release release;
  grouped_linear_forward<T>(sizes[0], {sizes[1], sizes[2], sizes[3]}, machine_of(machine),
                            at<const T>(in[0]), at<const T>(in[1]), at<const T>(in[2]), at<T>(out));
}

template <class T>
void backward_grouped(const GroupedSizes& sizes, const MachineTuple& machine,
                      const LinearAddresses& in, const LinearAddresses& out) {
  const py::gil_scoped_release release;
  grouped_linear_backward<T>(sizes[0], {sizes[1], sizes[2], sizes[3]}, machine_of(machine),
                             at<const T>(in[0]), at<const T>(in[1]), at<const T>(in[2]),
                             {at<T>(out[0]), at<T>(out[1]), at<T>(out[2])});
}

using PairSizes = std::array<int64_t, 4>;
using PairAddresses = std::array<uintptr_t, 5>;
using PairGradients = std::array<uintptr_t, 3>;

template <class T>
PairScores<T> pairs_of(const PairSizes& sizes, const PairAddresses& in) {
  return {sizes[0],
          sizes[1],
          sizes[2],
          sizes[3],
          at<const T>(in[0]),
          at<const T>(in[1]),
          at<const T>(in[2]),
          at<const int64_t>(in[3]),
          at<const int64_t>(in[4])};
}

template <class T>
void forward_pairs(const PairSizes& sizes, const MachineTuple& machine, const PairAddresses& in,
                   uintptr_t score) {
  const py::gil_scoped_release release;
  pair_scores_forward<T>(pairs_of<T>(sizes, in), machine_of(machine), at<T>(score));
}

template <class T>
void backward_pairs(const PairSizes& sizes, const MachineTuple& machine, const PairAddresses& in,
                    uintptr_t dscore, const PairGradients& out) {
  const py::gil_scoped_release release;
  pair_scores_backward<T>(pairs_of<T>(sizes, in), machine_of(machine), at<const T>(dscore),
                          at<T>(out[0]), at<T>(out[1]), at<T>(out[2]));
}

template <class T>
void backward_gather(const std::array<int64_t, 3>& sizes, int64_t threads, uintptr_t index,
                     uintptr_t dout, uintptr_t dtable) {
  const py::gil_scoped_release release;
  gather_rows_backward<T>(sizes[0], sizes[1], sizes[2], at<const int64_t>(index), threads,
                          at<const T>(dout), at<T>(dtable));
}

// Addresses of weight, gradient and moments of each tensor; lr, both betas, epsilon and clip.
template <class T>
double step_adam(const std::vector<std::array<uintptr_t, 4>>& tensors,
                 const std::vector<int64_t>& sizes, const std::array<double, 5>& settings,
                 int64_t step, const MachineTuple& machine) {
  const py::gil_scoped_release release;
  std::vector<AdamTensor<T>> views;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const std::array<uintptr_t, 4>& t = tensors[i];
    views.push_back({at<T>(t[0]), at<const T>(t[1]), at<T>(t[2]), at<T>(t[3]), sizes.at(i)});
  }
  return adam_step<T>(views,
                      {settings[0], settings[1], settings[2], settings[3], settings[4], step},
                      machine_of(machine));
}

}  // namespace

void bind_rows(py::module_& module) {
  module.def("linear_forward_float32", &forward_linear<float>);
  module.def("linear_forward_float64", &forward_linear<double>);
  module.def("linear_backward_float32", &backward_linear<float>);
  module.def("linear_backward_float64", &backward_linear<double>);
  module.def("grouped_linear_forward_float32", &forward_grouped<float>);
  module.def("grouped_linear_forward_float64", &forward_grouped<double>);
  module.def("grouped_linear_backward_float32", &backward_grouped<float>);
  module.def("grouped_linear_backward_float64", &backward_grouped<double>);
  module.def("pair_scores_forward_float32", &forward_pairs<float>);
  module.def("pair_scores_forward_float64", &forward_pairs<double>);
  module.def("pair_scores_backward_float32", &backward_pairs<float>);
  module.def("pair_scores_backward_float64", &backward_pairs<double>);
  module.def("adam_step_float32", &step_adam<float>);
  module.def("adam_step_float64", &step_adam<double>);
  module.def("gather_rows_backward_float32", &backward_gather<float>);
  module.def("gather_rows_backward_float64", &backward_gather<double>);
}

}  // namespace ngae
