// Fuzz targets of the core. Whatever comes, arrays are refused by std::invalid_argument, or what
// is made of them keeps its promises; a sanitizer watches every step.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <numeric>
#include <stdexcept>
#include <string>

#include "canonical_hash.h"
#include "dag_batch.h"
#include "dag_merge.h"
#include "index_checks.h"
#include "reader.h"

namespace fuzz {
namespace {

void require(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "expected %s\n", what);
  std::abort();
}

// What a packed batch promises of neighbours and levels.
void require_levels(const ngae::DagBatch& batch, const ngae::Neighbours& before,
                    const ngae::Levels& levels) {
  const int64_t nodes = static_cast<int64_t>(batch.node_type.size());
  const int64_t count = static_cast<int64_t>(levels.ptr.size()) - 1;
  ngae::check_ptr("ptr", before.ptr.data(), nodes, static_cast<int64_t>(before.list.size()));
  ngae::check_range("list", before.list.data(), static_cast<int64_t>(before.list.size()), nodes);
  ngae::check_levels(levels.ptr.data(), levels.node.data(), count, nodes);
  ngae::check_level_order(before.ptr.data(), before.list.data(), levels.ptr.data(),
                          levels.node.data(), count, nodes);
}

void require_batch(const ngae::DagBatch& batch) {
  try {
    require_levels(batch, batch.pred, batch.levels);
    require_levels(batch, batch.succ, batch.reverse_levels);
  } catch (const std::invalid_argument& error) {
    require(false, error.what());
  }
  require(batch.pred.list.size() == batch.succ.list.size(), "as many successors as predecessors");
}

void pack(Reader& in) {
  const int32_t kind = in.below(3);
  const native::Graphs graphs = kind == 2 ? in.arrays() : in.graphs(kind == 1);
  const ngae::DagBatch batch = ngae::pack(graphs.view());
  require_batch(batch);
  require(batch.pred.list.size() == graphs.edge_src.size(), "every edge once");
}

// Arrays of a whole batch with some entries replaced by anything.
ngae::DagBatch changed(Reader& in) {
  ngae::DagBatch batch = ngae::pack(in.graphs(false).view());
  std::vector<int32_t>* arrays[] = {&batch.node_type,  &batch.node_index, &batch.node_graph,
                                    &batch.graph_ptr,  &batch.root,       &batch.pred.ptr,
                                    &batch.pred.list,  &batch.succ.ptr,   &batch.succ.list,
                                    &batch.levels.ptr, &batch.levels.node};
  for (int32_t times = in.below(4); times > 0; --times) {
    std::vector<int32_t>& array = *arrays[in.below(11)];
    if (!array.empty()) array[in.byte() % array.size()] = in.word();
  }
  return batch;
}

void merge(Reader& in) {
  const ngae::DagBatch batch = changed(in);
  const bool use_index = in.below(2) == 1;
  const ngae::MergedBatch merged =
      ngae::merge(native::merge_input(batch), 1 + in.below(4), use_index);
  for (size_t v = 0; v < batch.node_type.size(); ++v) {
    const int32_t to = merged.node_to_merged[v];
    require(to >= 0 && to < static_cast<int32_t>(merged.batch.node_type.size()), "a merged node");
    require(merged.batch.node_type[to] == batch.node_type[v], "nodes of one type");
  }
}

// The same graph with its nodes in another order.
native::Graphs shuffled(Reader& in, const native::Graphs& graphs, int64_t graph) {
  const int32_t first = graphs.graph_ptr[graph];
  const int32_t nodes = graphs.graph_ptr[graph + 1] - first;
  std::vector<int32_t> place(static_cast<size_t>(nodes));
  std::iota(place.begin(), place.end(), 0);
  for (int32_t i = nodes - 1; i > 0; --i) std::swap(place[i], place[in.below(i + 1)]);
  std::vector<int32_t> types(place.size());
  for (int32_t v = 0; v < nodes; ++v) types[place[v]] = graphs.node_type[first + v];
  native::Edges edges;
  for (int32_t e = graphs.edge_ptr[graph]; e < graphs.edge_ptr[graph + 1]; ++e) {
    edges.emplace_back(place[graphs.edge_src[e]], place[graphs.edge_dst[e]]);
  }
  std::reverse(edges.begin(), edges.end());
  native::Graphs out;
  out.add(types, edges);
  return out;
}

// The hash is the same in any order of nodes and edges.
void canonical_hash(Reader& in) {
  const int32_t kind = in.below(3);
  const native::Graphs graphs = kind == 2 ? in.arrays() : in.graphs(kind == 1);
  ngae::check_edge_lists(graphs.view());
  for (int64_t g = 0; g < graphs.view().num_graphs(); ++g) {
    const native::Graphs other = shuffled(in, graphs, g);
    require(ngae::canonical_hash(graphs.view(), g) == ngae::canonical_hash(other.view(), 0),
            "the same hash in another order");
  }
}

using Target = void (*)(Reader&);

Target chosen() {
  const std::map<std::string, Target> targets{
      {"pack", pack}, {"merge", merge}, {"canonical_hash", canonical_hash}};
  const char* name = std::getenv("NGAE_FUZZ_TARGET");
  const auto found = targets.find(name == nullptr ? "" : name);
  require(found != targets.end(), "NGAE_FUZZ_TARGET: pack, merge or canonical_hash");
  return found->second;
}

}  // namespace
}  // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzz::Target target = fuzz::chosen();
  fuzz::Reader in(data, size);
  try {
    target(in);
  } catch (const std::invalid_argument&) {
    return 0;  // refused
  }
  return 0;
}
