// Arrays with entries changed at random: an exception or a result, never a step out of bounds.
#include <limits>

#include "canonical_hash.h"
#include "check.h"
#include "graphs.h"
#include "index_checks.h"
#include "naive_dag_gru.h"

namespace native {
namespace {

constexpr int32_t kLeast = std::numeric_limits<int32_t>::min();
constexpr int32_t kMost = std::numeric_limits<int32_t>::max();

// Puts another number at one place of `array`.
void change(Random& random, std::vector<int32_t>& array) {
  if (array.empty()) return;
  const int32_t near = static_cast<int32_t>(array.size());
  const int32_t values[] = {kLeast, kMost, -1, 0, 1, near, random.below(2 * near + 4)};
  array[random.below(near)] = values[random.below(7)];
}

// Calls `call`; counts the refusals.
template <class Call>
void attempt(const Call& call, int64_t& refused) {
  try {
    call();
  } catch (const std::invalid_argument&) {
    ++refused;
  }
}

TEST(malformed_edge_lists) {
  Random random(19);
  int64_t refused = 0;
  for (int64_t round = 0; round < 4000; ++round) {
    Graphs graphs = random_graphs(random, 1 + random.below(4), 5);
    std::vector<int32_t>* arrays[] = {&graphs.node_type, &graphs.graph_ptr, &graphs.edge_ptr,
                                      &graphs.edge_src, &graphs.edge_dst};
    for (int32_t times = random.below(4); times >= 0; --times) {
      std::vector<int32_t>& array = *arrays[random.below(5)];
      change(random, array);
      if (random.below(8) == 0) array.resize(array.size() / 2);
    }
    attempt([&] { ngae::pack(graphs.view()); }, refused);
    attempt(
        [&] {
          ngae::check_edge_lists(graphs.view());
          for (int64_t g = 0; g < graphs.view().num_graphs(); ++g) {
            ngae::canonical_hash(graphs.view(), g);
          }
        },
        refused);
  }
  check(refused > 4000, "refused ", refused, " of 8000");
}

std::vector<std::vector<int32_t>*> arrays_of(ngae::DagBatch& batch) {
  return {&batch.node_type, &batch.node_index, &batch.node_graph, &batch.graph_ptr,
          &batch.root,      &batch.pred.ptr,   &batch.pred.list,  &batch.succ.ptr,
          &batch.succ.list, &batch.levels.ptr, &batch.levels.node};
}

TEST(malformed_batches) {
  Random random(20);
  const auto weights = random_arrays<float>(21, 2, kTypes, 5, 4);
  int64_t refused = 0;
  for (int64_t round = 0; round < 4000; ++round) {
    ngae::DagBatch batch = ngae::pack(random_graphs(random, 4, 5).view());
    const auto arrays = arrays_of(batch);
    for (int32_t times = random.below(3); times >= 0; --times) {
      change(random, *arrays[random.below(static_cast<int64_t>(arrays.size()))]);
    }
    std::vector<float> h(batch.node_type.size() * 2);
    std::vector<float> saved(batch.node_type.size() * 7 * ngae::row_stride(2, 4));
    auto g = weights;
    const auto run = [&] {
      ngae::dag_gru_forward<float>(view(batch), weights.view(), weights.initial.data(),
                                   {"", false, 2}, h.data(), saved.data());
      ngae::dag_gru_backward<float>(view(batch), weights.view(), true, {"", false, 2}, saved.data(),
                                    h.data(),
                                    {g.w_ih.data(), g.b_ih.data(), g.w_hh.data(), g.b_hh.data(),
                                     g.w_gate.data(), g.b_gate.data(), g.w_map.data(),
                                     g.gate_index.data(), g.map_index.data(), g.initial.data()});
    };
    attempt(run, refused);
    std::vector<int32_t>& shorter = *arrays[random.below(static_cast<int64_t>(arrays.size()))];
    if (random.below(4) == 0 && !shorter.empty()) shorter.resize(random.below(shorter.size()));
    attempt([&] { ngae::merge(merge_input(batch), 2, round % 2 == 0); }, refused);
  }
  check(refused > 4000, "refused ", refused, " of 8000");
}

// A node twice in a level would leave its group's part of the scratch memory.
TEST(a_node_twice_in_a_level) {
  ngae::DagBatch batch = ngae::pack([] {
    Graphs graphs;
    for (int32_t g = 0; g < 3; ++g) graphs.add({0}, {});
    return graphs;
  }()
                                        .view());
  batch.levels.node = {0, 2, 2};
  const std::string message = "level_node[2]: expected above 2, found 2";
  check_invalid([&] { ngae::check_graphs(view(batch), kTypes, 0); }, message);
  check_invalid([&] { ngae::merge(merge_input(batch), 2, false); }, message);
}

// A node in a level before its predecessor's would read a state that is not computed yet.
TEST(a_node_in_a_level_before_its_predecessors) {
  ngae::DagBatch batch = ngae::pack([] {
    Graphs graphs;
    graphs.add({0, 0, 0}, {{0, 1}, {1, 2}});
    return graphs;
  }()
                                        .view());
  const auto levels = [&] {
    ngae::check_level_order(batch.pred.ptr.data(), batch.pred.list.data(), batch.levels.ptr.data(),
                            batch.levels.node.data(), 3, 3);
  };
  levels();
  batch.levels.node = {0, 2, 1};
  ngae::check_graphs(view(batch), kTypes, 0);
  check_invalid(levels,
                "pred_src[1]: expected a node of a level before 1, found node 1 of level 2");
}

}  // namespace
}  // namespace native
