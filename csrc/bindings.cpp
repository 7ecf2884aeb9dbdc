// Every function that Python can call. Arrays of integers come as numpy arrays; tensors come as
// addresses that Python has checked. std::invalid_argument arrives in Python as ValueError.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <memory>
#include <utility>

#include "canonical_hash.h"
#include "dag_batch.h"
#include "dag_merge.h"

namespace py = pybind11;

namespace {

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
                           const IntArray& edge_dst) {
  const ngae::EdgeLists graphs{view(node_type), view(graph_ptr), view(edge_ptr), view(edge_src),
                               view(edge_dst)};
  ngae::check_edge_lists(graphs);
  const py::ssize_t num_graphs = graphs.num_graphs();
  py::array_t<uint8_t> out({num_graphs, py::ssize_t{16}});
  uint8_t* data = out.mutable_data();
  const py::gil_scoped_release release;
  for (int64_t g = 0; g < num_graphs; ++g) {
    const ngae::Digest digest = ngae::canonical_hash(graphs, g);
    std::copy(digest.begin(), digest.end(), data + 16 * g);
  }
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

}  // namespace

PYBIND11_MODULE(_C, module) {
  module.doc() = "Native core of ngae: graph packing, propagation and decoding on the CPU.";
  module.def("pack", &pack, py::arg("node_type").noconvert(), py::arg("graph_ptr").noconvert(),
             py::arg("edge_ptr").noconvert(), py::arg("edge_src").noconvert(),
             py::arg("edge_dst").noconvert(),
             "Pack graphs (edges by local node numbers) into the arrays of a GraphBatch.");
  module.def("canonical_hashes", &canonical_hashes, py::arg("node_type").noconvert(),
             py::arg("graph_ptr").noconvert(), py::arg("edge_ptr").noconvert(),
             py::arg("edge_src").noconvert(), py::arg("edge_dst").noconvert(),
             "Hash graphs independently of node order: uint8 (num_graphs, 16).");
  module.def("merge", &merge, py::arg("node_type").noconvert(), py::arg("node_index").noconvert(),
             py::arg("graph_ptr").noconvert(), py::arg("pred_ptr").noconvert(),
             py::arg("pred_src").noconvert(), py::arg("level_ptr").noconvert(),
             py::arg("level_node").noconvert(), py::arg("num_groups"), py::arg("use_index"),
             "Merge equal sub-computations per group: (arrays of a GraphBatch, node_to_merged).");
}
