// Splits a batch into contiguous groups of graphs of about equal size, one per thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace ngae {

// Bounds (groups + 1,) of graphs: each group holds at least one graph, the groups about the same
// number of nodes. Fewer graphs than `num_groups` give as many groups as graphs; none give {0}.
inline std::vector<int32_t> balanced_groups(const int32_t* graph_ptr, int64_t num_graphs,
                                            int64_t num_groups) {
  const int64_t groups = std::min(std::max<int64_t>(num_groups, 1), num_graphs);
  std::vector<int32_t> bounds{0};
  for (int64_t group = 1; group <= groups; ++group) {
    const int64_t nodes = graph_ptr[num_graphs] * group / groups;
    const auto* place = std::lower_bound(graph_ptr, graph_ptr + num_graphs + 1, nodes);
    const int64_t least = bounds.back() + 1, most = num_graphs - (groups - group);
    bounds.push_back(
        static_cast<int32_t>(std::min(std::max<int64_t>(place - graph_ptr, least), most)));
  }
  return bounds;
}

}  // namespace ngae
