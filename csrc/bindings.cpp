// Every function that Python can call, but for the ops on rows (bindings_rows.cpp). Arrays of
// integers come as numpy arrays; tensors come as addresses that Python has checked.
// std::invalid_argument arrives in Python as ValueError.
#include "bindings.h"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "ascend.h"
#include "canonical_hash.h"
#include "dag_batch.h"
#include "dag_gru.h"
#include "dag_merge.h"
#include "decode.h"
#include "index_checks.h"
#include "parallel.h"
#include "peak.h"
#include "philox.h"

namespace py = pybind11;

namespace {

using ngae::at;
using ngae::graph_view;
using ngae::GraphAddresses;
using ngae::GraphSizes;
using ngae::gru_weights;
using ngae::HeadAddresses;
using ngae::HeadSizes;
using ngae::machine_of;
using ngae::MachineTuple;
using ngae::PredictorTuple;
using ngae::RuleAddresses;
using ngae::RuleChoices;
using ngae::RuleSizes;
using ngae::WeightAddresses;
using ngae::WeightSizes;

using IntArray = py::array_t<int32_t, py::array::c_style>;

ngae::Ints view(const IntArray& array) { return {array.data(), array.size()}; }

py::array to_numpy(std::vector<int32_t>&& values) {
  auto owner = std::make_unique<std::vector<int32_t>>(std::move(values));
  const py::ssize_t size = static_cast<py::ssize_t>(owner->size());
  int32_t* data = owner->data();
  py::capsule capsule(owner.get(),
                      [](void* held) { delete static_cast<std::vector<int32_t>*>(held); });
  owner.release();
  return py::array_t<int32_t>(size, data, capsule);
}

py::dict to_dict(ngae::DagBatch&& batch) {
  py::dict out;
  out["node_type"] = to_numpy(std::move(batch.node_type));
  out["node_index"] = to_numpy(std::move(batch.node_index));
  out["node_graph"] = to_numpy(std::move(batch.node_graph));
  out["graph_ptr"] = to_numpy(std::move(batch.graph_ptr));
  out["root"] = to_numpy(std::move(batch.root));
  out["pred_ptr"] = to_numpy(std::move(batch.pred.ptr));
  out["pred_src"] = to_numpy(std::move(batch.pred.list));
  out["succ_ptr"] = to_numpy(std::move(batch.succ.ptr));
  out["succ_dst"] = to_numpy(std::move(batch.succ.list));
  out["level_ptr"] = to_numpy(std::move(batch.levels.ptr));
  out["level_node"] = to_numpy(std::move(batch.levels.node));
  out["reverse_level_ptr"] = to_numpy(std::move(batch.reverse_levels.ptr));
  out["reverse_level_node"] = to_numpy(std::move(batch.reverse_levels.node));
  return out;
}

py::dict pack(const IntArray& node_type, const IntArray& graph_ptr, const IntArray& edge_ptr,
              const IntArray& edge_src, const IntArray& edge_dst) {
  const ngae::EdgeLists graphs{view(node_type), view(graph_ptr), view(edge_ptr), view(edge_src),
                               view(edge_dst)};
  ngae::DagBatch batch;
  {
    const py::gil_scoped_release release;
    batch = ngae::pack(graphs);
  }
  return to_dict(std::move(batch));
}

py::array canonical_hashes(const IntArray& node_type, const IntArray& graph_ptr,
                           const IntArray& edge_ptr, const IntArray& edge_src,
                           const IntArray& edge_dst, int64_t threads) {
  const ngae::EdgeLists graphs{view(node_type), view(graph_ptr), view(edge_ptr), view(edge_src),
                               view(edge_dst)};
  ngae::check_edge_lists(graphs);
  const py::ssize_t num_graphs = graphs.num_graphs();
  py::array_t<uint8_t> out({num_graphs, py::ssize_t{16}});
  uint8_t* data = out.mutable_data();
  const py::gil_scoped_release release;
  ngae::parallel(std::max<int64_t>(1, std::min<int64_t>(threads, num_graphs / 1024)),
                 [&](const ngae::Team& team) {
                   for (int64_t g = team.begin(num_graphs); g < team.end(num_graphs); ++g) {
                     const ngae::Digest digest = ngae::canonical_hash(graphs, g);
                     std::copy(digest.begin(), digest.end(), data + 16 * g);
                   }
                 });
  return std::move(out);
}

py::tuple merge(const IntArray& node_type, const IntArray& node_index, const IntArray& graph_ptr,
                const IntArray& pred_ptr, const IntArray& pred_src, const IntArray& level_ptr,
                const IntArray& level_node, int64_t num_groups, bool use_index) {
  const ngae::MergeInput input{view(node_type), view(node_index), view(graph_ptr), view(pred_ptr),
                               view(pred_src),  view(level_ptr),  view(level_node)};
  ngae::MergedBatch merged;
  {
    const py::gil_scoped_release release;
    merged = ngae::merge(input, num_groups, use_index);
  }
  py::array node_to_merged = to_numpy(std::move(merged.node_to_merged));
  return py::make_tuple(to_dict(std::move(merged.batch)), std::move(node_to_merged));
}

using GradientAddresses = std::array<uintptr_t, 10>;

// Checks all that the ops follow in a batch, once, for devices whose kernels check nothing.
// Arrays in the order of GraphView's members.
void check_batch(const std::array<IntArray, 11>& arrays, int64_t num_types, int64_t num_places) {
  constexpr std::array<const char*, 11> kNames{"node_type", "node_index", "node_graph", "graph_ptr",
                                               "root",      "pred_ptr",   "pred_src",   "succ_ptr",
                                               "succ_dst",  "level_ptr",  "level_node"};
  const int64_t nodes = arrays[0].size(), graphs = arrays[4].size(), edges = arrays[6].size();
  const int64_t levels = std::max<int64_t>(arrays[9].size(), 1) - 1;
  const std::array<int64_t, 11> sizes{nodes, nodes,     nodes, graphs + 1, graphs, nodes + 1,
                                      edges, nodes + 1, edges, levels + 1, nodes};
  GraphAddresses addresses;
  for (size_t i = 0; i < arrays.size(); ++i) {
    ngae::check_size(kNames[i], arrays[i].size(), sizes[i]);
    addresses[i] = reinterpret_cast<uintptr_t>(arrays[i].data());
  }
  const ngae::GraphView view = graph_view(addresses, {nodes, edges, graphs, levels});
  const py::gil_scoped_release release;
  ngae::check_graphs(view, num_types, num_places);
  ngae::check_level_order(view.pred_ptr, view.pred_src, view.level_ptr, view.level_node, levels,
                          nodes);
}

template <class T>
void dag_gru_forward(const GraphAddresses& graph, const GraphSizes& graph_sizes,
                     const WeightAddresses& weights, const WeightSizes& weight_sizes,
                     uintptr_t initial, const MachineTuple& machine, uintptr_t h, uintptr_t saved) {
  const py::gil_scoped_release release;
  ngae::dag_gru_forward<T>(graph_view(graph, graph_sizes), gru_weights<T>(weights, weight_sizes),
                           at<const T>(initial), machine_of(machine), at<T>(h), at<T>(saved));
}

template <class T>
void dag_gru_backward(const GraphAddresses& graph, const GraphSizes& graph_sizes,
                      const WeightAddresses& weights, const WeightSizes& weight_sizes,
                      bool has_initial, const MachineTuple& machine, uintptr_t saved, uintptr_t dh,
                      const GradientAddresses& gradients) {
  const py::gil_scoped_release release;
  const auto out = [&](int i) { return at<T>(gradients[i]); };
  ngae::dag_gru_backward<T>(
      graph_view(graph, graph_sizes), gru_weights<T>(weights, weight_sizes), has_initial,
      machine_of(machine), at<const T>(saved), at<const T>(dh),
      {out(0), out(1), out(2), out(3), out(4), out(5), out(6), out(7), out(8), out(9)});
}

using DecodeInputs = std::array<uintptr_t, 3>;
using DecodeOutputs = std::array<uintptr_t, 3>;

template <class T>
void decode(const WeightAddresses& weights, const WeightSizes& weight_sizes,
            const HeadAddresses& heads, const HeadSizes& head_sizes, const RuleAddresses& rules,
            const RuleSizes& rule_sizes, const RuleChoices& choices, const DecodeInputs& in,
            int64_t num_samples, int64_t seed, bool stochastic, const MachineTuple& machine,
            const DecodeOutputs& out) {
  const py::gil_scoped_release release;
  const auto decoder =
      ngae::decoder_weights(gru_weights<T>(weights, weight_sizes), heads, head_sizes);
  const ngae::RulesView view = ngae::rules_view(rules, rule_sizes, choices);
  ngae::decode<T>({num_samples, at<const T>(in[0]), at<const T>(in[1]), at<const int64_t>(in[2]),
                   static_cast<uint64_t>(seed), stochastic},
                  decoder, view, machine_of(machine),
                  {at<int32_t>(out[0]), at<uint8_t>(out[1]), at<int32_t>(out[2])});
}

template <class T>
void ascend(uintptr_t starts, int64_t num_points, int64_t latent,
            const std::vector<PredictorTuple>& given, double step_size,
            const std::vector<int64_t>& keep, const MachineTuple& machine, uintptr_t out) {
  const py::gil_scoped_release release;
  ngae::ascend<T>({num_points, latent, at<const T>(starts), step_size, keep},
                  ngae::predictor_weights<T>(given), machine_of(machine), at<T>(out));
}

// Philox words of one block, for tests against the published vectors.
std::array<uint32_t, 4> philox(const std::array<uint32_t, 4>& counter,
                               const std::array<uint32_t, 2>& key) {
  const ngae::PhiloxBlock block =
      ngae::philox({{counter[0], counter[1], counter[2], counter[3]}}, key[0], key[1]);
  return {block.word[0], block.word[1], block.word[2], block.word[3]};
}

// Sigmoid and tanh as the inner loops compute them.
template <class T>
py::tuple activations(const py::array_t<T, py::array::c_style>& x, const std::string& level) {
  const ngae::Kernels<T>& kernels = ngae::kernels<T>({level, false, 1});
  if (x.size() % kernels.panel != 0) {
    throw std::invalid_argument("x: expected a multiple of " + std::to_string(kernels.panel) +
                                " numbers, found " + std::to_string(x.size()));
  }
  py::array_t<T> sigmoid(x.size()), tanh(x.size());
  kernels.sigmoid(x.data(), sigmoid.mutable_data(), x.size());
  kernels.tanh(x.data(), tanh.mutable_data(), x.size());
  return py::make_tuple(sigmoid, tanh);
}

// Measured rates, in 1e9 operations a second.
double fma_rate(const MachineTuple& machine, int64_t steps) {
  const py::gil_scoped_release release;
  return ngae::fma_rate(machine_of(machine), steps) / 1e9;
}

double product_rate(const MachineTuple& machine, int64_t repeats) {
  const py::gil_scoped_release release;
  return ngae::product_rate(machine_of(machine), repeats) / 1e9;
}

// Asks the allocator to keep what is freed, for as long as the process lives: a training step frees
// and takes the same blocks again, and a page from the system costs more than what is written to
// it.
void keep_freed_memory() {
#if defined(__GLIBC__)
  if (mallopt(M_MMAP_THRESHOLD, 1 << 30) == 0) mallopt(M_MMAP_THRESHOLD, 1 << 25);
  mallopt(M_TRIM_THRESHOLD, 2'000'000'000);
#endif
}

}  // namespace

PYBIND11_MODULE(_C, module) {
  module.doc() = "Native core of ngae: graph packing, propagation, decoding and ascent on the CPU.";
  module.def("pack", &pack, py::arg("node_type").noconvert(), py::arg("graph_ptr").noconvert(),
             py::arg("edge_ptr").noconvert(), py::arg("edge_src").noconvert(),
             py::arg("edge_dst").noconvert(),
             "Pack graphs (edges by local node numbers) into the arrays of a GraphBatch.");
  module.def("canonical_hashes", &canonical_hashes, py::arg("node_type").noconvert(),
             py::arg("graph_ptr").noconvert(), py::arg("edge_ptr").noconvert(),
             py::arg("edge_src").noconvert(), py::arg("edge_dst").noconvert(),
             py::arg("threads") = 1,
             "Hash graphs independently of node order: uint8 (num_graphs, 16).");
  module.def("merge", &merge, py::arg("node_type").noconvert(), py::arg("node_index").noconvert(),
             py::arg("graph_ptr").noconvert(), py::arg("pred_ptr").noconvert(),
             py::arg("pred_src").noconvert(), py::arg("level_ptr").noconvert(),
             py::arg("level_node").noconvert(), py::arg("num_groups"), py::arg("use_index"),
             "Merge equal sub-computations per group: (arrays of a GraphBatch, node_to_merged).");
  module.def("check_batch", &check_batch, py::arg("arrays").noconvert(), py::arg("num_types"),
             py::arg("num_places"),
             "Raise ValueError where an index of a batch leaves its array or levels contradict.");
  module.def(
      "keep_freed_memory", &keep_freed_memory,
      "Ask the C library to keep freed memory for reuse; for whole programs, not libraries.");
  module.def("cpu_levels", &ngae::cpu_levels, "Instruction sets of this machine, best last.");
  module.def("row_stride", &ngae::row_stride, py::arg("hidden"), py::arg("itemsize"),
             "Numbers from one padded row of states to the next.");
  module.def("activations", &activations<float>, py::arg("x").noconvert(), py::arg("level"));
  module.def("activations", &activations<double>, py::arg("x").noconvert(), py::arg("level"),
             "Sigmoid and tanh of x as the inner loops compute them.");
  module.def("dag_gru_forward_float32", &dag_gru_forward<float>);
  module.def("dag_gru_forward_float64", &dag_gru_forward<double>);
  module.def("dag_gru_backward_float32", &dag_gru_backward<float>);
  module.def("dag_gru_backward_float64", &dag_gru_backward<double>);
  ngae::bind_rows(module);
  module.def("fma_rate", &fma_rate, py::arg("machine"), py::arg("steps"),
             "Measure 1e9 operations a second of multiply-adds that touch no memory.");
  module.def("product_rate", &product_rate, py::arg("machine"), py::arg("repeats"),
             "Measure 1e9 operations a second of the product kernel on data in the cache.");
  module.def("philox", &philox, py::arg("counter"), py::arg("key"),
             "Four random words from a counter of four words and a key of two.");
  module.def("decode_float32", &decode<float>);
  module.def("decode_float64", &decode<double>);
  module.def("ascend_float32", &ascend<float>);
  module.def("ascend_float64", &ascend<double>);
}
