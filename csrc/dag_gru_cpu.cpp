#include <cstring>

#include "index_checks.h"
#include "merged_graphs.h"
#include "packed_gru.h"
#include "sweep.h"

namespace ngae {
namespace {

template <class T>
struct Forward {
  const GraphView& graphs;
  const PackedGru<T>& gru;
  const T* initial;
  Saved<T> saved;
  T* message;  // (num_nodes, ld)

  void aggregate(const RowList& list, bool first_level) const {
    const int64_t ld = gru.layout.ld, hidden = gru.layout.hidden;
    if (first_level) {
      for (int64_t i = 0; i < list.count; ++i) std::fill_n(saved.a + list.rows[i] * ld, ld, T{0});
    } else {
      gru.kernels.sum_neighbours({list.rows, list.count, gru.layout.width, ld}, graphs.pred_ptr,
                                 graphs.pred_src, message, saved.a);
    }
    if (initial == nullptr) return;
    for (int64_t i = 0; i < list.count; ++i) {
      const int64_t v = list.rows[i], graph = graphs.node_graph[v];
      if (graphs.root[graph] != v) continue;
      for (int64_t j = 0; j < hidden; ++j) saved.a[v * ld + j] += initial[graph * hidden + j];
    }
  }

  bool sends(int64_t v) const { return graphs.succ_ptr[v] < graphs.succ_ptr[v + 1]; }

  // Zeroes what the loops leave of the saved rows, so that `saved` is a function of the inputs.
  void clear_rest(int64_t v) const {
    const int64_t ld = gru.layout.ld, width = gru.layout.width;
    T* rows[] = {saved.a + v * ld, saved.h + v * ld, saved.gates + v * 3 * ld,
                 saved.gates + (v * 3 + 1) * ld, saved.gates + (v * 3 + 2) * ld};
    for (T* row : rows) std::fill(row + width, row + ld, T{0});
    for (T* row : {saved.values + v * 2 * ld, saved.values + (v * 2 + 1) * ld}) {
      std::fill(sends(v) ? row + width : row, row + ld, T{0});
    }
  }

  void run(Sweep& sweep, const Team& team, T* buffer) const {
    const auto sends_on = [this](int32_t v) { return sends(v); };
    sweep.up(team, [&](const RowList& list) {
      const bool first_level = list.count > 0 && list.rows < graphs.level_node + first_rows();
      aggregate(list, first_level);
      gru.update(list.rows, list.count, graphs.node_type, !first_level || initial != nullptr,
                 saved.a, saved.gates, saved.h, buffer);
      for (int64_t i = 0; i < list.count; ++i) clear_rest(list.rows[i]);
      const RowList senders = sweep.filter(list, sends_on);
      gru.send(senders.rows, senders.count, graphs.node_index, saved.h, saved.values, message,
               buffer);
    });
  }

  int64_t first_rows() const { return graphs.num_levels == 0 ? 0 : graphs.level_ptr[1]; }
};

}  // namespace

void check_graphs(const GraphView& graphs, int64_t num_types, int64_t num_places) {
  check_range("node_type", graphs.node_type, graphs.num_nodes, num_types);
  if (num_places > 0) check_range("node_index", graphs.node_index, graphs.num_nodes, num_places);
  check_range("node_graph", graphs.node_graph, graphs.num_nodes, graphs.num_graphs);
  check_range("root", graphs.root, graphs.num_graphs, graphs.num_nodes);
  check_ptr("graph_ptr", graphs.graph_ptr, graphs.num_graphs, graphs.num_nodes);
  check_ptr("pred_ptr", graphs.pred_ptr, graphs.num_nodes, graphs.num_edges);
  check_ptr("succ_ptr", graphs.succ_ptr, graphs.num_nodes, graphs.num_edges);
  check_range("pred_src", graphs.pred_src, graphs.num_edges, graphs.num_nodes);
  check_range("succ_dst", graphs.succ_dst, graphs.num_edges, graphs.num_nodes);
  check_levels(graphs.level_ptr, graphs.level_node, graphs.num_levels, graphs.num_nodes);
}

template <class T>
void dag_gru_forward(const GraphView& graphs, const DagGruWeights<T>& weights, const T* initial,
                     const Machine& machine, T* h, T* saved) {
  check_graphs(graphs, weights.num_types, weights.num_places);
  const MergedGraphs merged(graphs, initial == nullptr, weights.num_places > 0);
  const GraphView& computed = merged.view();
  const PackedGru<T> gru(weights, kernels<T>(machine));
  const int64_t threads =
      useful_threads(machine.threads, 5 * computed.num_nodes * weights.hidden * weights.hidden);
  Sweep sweep(computed, threads);
  const Buffer<T> message(computed.num_nodes * gru.layout.ld);
  const Buffer<T> buffers(threads * gru.kernels.buffer_size);
  const Forward<T> forward{computed, gru, initial,
                           Saved<T>(saved, computed.num_nodes, gru.layout.ld), message.get()};
  const int32_t* place = merged.node_to_merged();
  parallel(threads, [&](const Team& team) {
    gru.pack(team);
    team.barrier();
    forward.run(sweep, team, buffers.get() + team.thread * gru.kernels.buffer_size);
    team.barrier();
    for (int64_t v = team.begin(graphs.num_nodes); v < team.end(graphs.num_nodes); ++v) {
      const T* state = forward.saved.h + (place == nullptr ? v : place[v]) * gru.layout.ld;
      std::memcpy(h + v * weights.hidden, state, weights.hidden * sizeof(T));
    }
    const int64_t used = computed.num_nodes * kSavedRows * gru.layout.ld;
    const int64_t rest = graphs.num_nodes * kSavedRows * gru.layout.ld - used;
    std::fill(saved + used + team.begin(rest), saved + used + team.end(rest), T{0});
  });
}

template void dag_gru_forward<float>(const GraphView&, const DagGruWeights<float>&, const float*,
                                     const Machine&, float*, float*);
template void dag_gru_forward<double>(const GraphView&, const DagGruWeights<double>&, const double*,
                                      const Machine&, double*, double*);

}  // namespace ngae
