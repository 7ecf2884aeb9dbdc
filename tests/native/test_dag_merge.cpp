// merge: two nodes of a group are one exactly where their whole histories agree.
#include <map>
#include <string>

#include "check.h"
#include "graphs.h"
#include "partition.h"

namespace native {
namespace {

// Everything that a node's state depends on, written out.
std::string history(const ngae::DagBatch& batch, int32_t v, bool use_index) {
  std::string out = join("(", batch.node_type[v], use_index ? join("@", batch.node_index[v]) : "");
  for (int32_t e = batch.pred.ptr[v]; e < batch.pred.ptr[v + 1]; ++e) {
    out += history(batch, batch.pred.list[e], use_index);
  }
  return out + ")";
}

void check_merge(const ngae::DagBatch& batch, int64_t num_groups, bool use_index) {
  const ngae::MergedBatch merged = ngae::merge(merge_input(batch), num_groups, use_index);
  const int64_t num_graphs = static_cast<int64_t>(batch.root.size());
  const std::vector<int32_t> groups =
      ngae::balanced_groups(batch.graph_ptr.data(), num_graphs, num_groups);
  check_equal(merged.batch.root.size(), groups.size() - 1, "groups");
  check_equal(merged.node_to_merged.size(), batch.node_type.size(), "node_to_merged");
  std::map<std::pair<size_t, std::string>, int32_t> known;
  for (size_t group = 0; group + 1 < groups.size(); ++group) {
    const int32_t end = batch.graph_ptr[groups[group + 1]];
    for (int32_t v = batch.graph_ptr[groups[group]]; v < end; ++v) {
      const int32_t m = merged.node_to_merged[v];
      const std::string before = history(batch, v, use_index);
      check_equal(history(merged.batch, m, use_index), before, "history of node ", v);
      check_equal(merged.batch.node_graph[m], static_cast<int32_t>(group), "group of node ", v);
      const auto [place, is_new] = known.emplace(std::make_pair(group, before), m);
      check_equal(place->second, m, "merged node of ", v);
    }
  }
  check_equal(merged.batch.node_type.size(), known.size(), "merged nodes");
  check_equal(merged.batch.graph_ptr.back(), static_cast<int32_t>(known.size()), "graph_ptr");
}

TEST(merge_random_graphs) {
  Random random(4);
  for (int64_t round = 0; round < 40; ++round) {
    const ngae::DagBatch batch =
        ngae::pack(random_graphs(random, random.below(25), 1 + random.below(6)).view());
    for (const bool use_index : {false, true}) {
      for (const int64_t num_groups : {1, 2, 3, 30}) {
        check_merge(batch, num_groups, use_index);
        check_merge(reverse(batch), num_groups, use_index);
      }
    }
  }
}

TEST(merge_nothing) { check_merge(ngae::pack(Graphs{}.view()), 3, false); }

}  // namespace
}  // namespace native
