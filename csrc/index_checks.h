// Checks of the arrays of a batch before anything follows their indices. All of them throw
// std::invalid_argument that says which entry, what was expected and what was found.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace ngae {

inline void check_size(const char* name, int64_t found, int64_t expected) {
  if (found == expected) return;
  throw std::invalid_argument(std::string(name) + ": expected " + std::to_string(expected) +
                              " entries, found " + std::to_string(found));
}

inline void check_range(const char* name, const int32_t* values, int64_t count, int64_t limit) {
  for (int64_t i = 0; i < count; ++i) {
    if (values[i] >= 0 && values[i] < limit) continue;
    throw std::invalid_argument(std::string(name) + "[" + std::to_string(i) + "]: expected 0.." +
                                std::to_string(limit - 1) + ", found " + std::to_string(values[i]));
  }
}

// ptr (count + 1,) rises from 0 to `total`.
inline void check_ptr(const char* name, const int32_t* ptr, int64_t count, int64_t total) {
  bool good = ptr[0] == 0 && ptr[count] == total;
  for (int64_t i = 0; i < count; ++i) good = good && ptr[i] <= ptr[i + 1];
  if (!good) {
    throw std::invalid_argument(std::string(name) + ": expected rising from 0 to " +
                                std::to_string(total) + ", found otherwise");
  }
}

// Levels hold each node below `num_nodes` once, ascending within a level.
inline void check_levels(const int32_t* ptr, const int32_t* node, int64_t num_levels,
                         int64_t num_nodes) {
  check_ptr("level_ptr", ptr, num_levels, num_nodes);
  check_range("level_node", node, num_nodes, num_nodes);
  for (int64_t level = 0; level < num_levels; ++level) {
    for (int64_t i = ptr[level] + 1; i < ptr[level + 1]; ++i) {
      if (node[i] > node[i - 1]) continue;
      throw std::invalid_argument("level_node[" + std::to_string(i) + "]: expected above " +
                                  std::to_string(node[i - 1]) + ", found " +
                                  std::to_string(node[i]));
    }
  }
  std::vector<bool> seen(num_nodes);
  for (int64_t i = 0; i < num_nodes; ++i) {
    if (seen[node[i]]) {
      throw std::invalid_argument("level_node[" + std::to_string(i) +
                                  "]: expected each node once, found " + std::to_string(node[i]) +
                                  " again");
    }
    seen[node[i]] = true;
  }
}

// Every predecessor stands in a level before its node's. After check_ptr, check_range,
// check_levels.
inline void check_level_order(const int32_t* pred_ptr, const int32_t* pred_src,
                              const int32_t* level_ptr, const int32_t* level_node,
                              int64_t num_levels, int64_t num_nodes) {
  std::vector<int32_t> level_of(num_nodes);
  for (int64_t level = 0; level < num_levels; ++level) {
    for (int64_t i = level_ptr[level]; i < level_ptr[level + 1]; ++i) {
      level_of[level_node[i]] = static_cast<int32_t>(level);
    }
  }
  for (int64_t v = 0; v < num_nodes; ++v) {
    for (int64_t e = pred_ptr[v]; e < pred_ptr[v + 1]; ++e) {
      if (level_of[pred_src[e]] < level_of[v]) continue;
      throw std::invalid_argument(
          "pred_src[" + std::to_string(e) + "]: expected a node of a level before " +
          std::to_string(level_of[v]) + ", found node " + std::to_string(pred_src[e]) +
          " of level " + std::to_string(level_of[pred_src[e]]));
    }
  }
}

}  // namespace ngae
