#include <cstring>
#include <stdexcept>

#include "packed_gru.h"
#include "sweep.h"

namespace ngae {
namespace {

void check_range(const char* name, const int32_t* values, int64_t count, int64_t limit) {
  for (int64_t i = 0; i < count; ++i) {
    if (values[i] >= 0 && values[i] < limit) continue;
    throw std::invalid_argument(std::string(name) + "[" + std::to_string(i) + "]: expected 0.." +
                                std::to_string(limit - 1) + ", found " + std::to_string(values[i]));
  }
}

void check_ptr(const char* name, const int32_t* ptr, int64_t count, int64_t total) {
  bool good = ptr[0] == 0 && ptr[count] == total;
  for (int64_t i = 0; i < count; ++i) good = good && ptr[i] <= ptr[i + 1];
  if (!good) {
    throw std::invalid_argument(std::string(name) + ": expected rising from 0 to " +
                                std::to_string(total) + ", found otherwise");
  }
}

template <class T>
struct Forward {
  const GraphView& graphs;
  const PackedGru<T>& gru;
  const T* initial;
  Saved<T> saved;
  T* message;  // (num_nodes, ld)
  T* h;        // (num_nodes, hidden)

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

  void run(Groups& groups, int64_t group, T* buffer) const {
    const int64_t ld = gru.layout.ld, hidden = gru.layout.hidden;
    for (int64_t level = 0; level < graphs.num_levels; ++level) {
      const RowList list = groups.level(group, level);
      aggregate(list, level == 0);
      gru.update(list.rows, list.count, graphs.node_type, level > 0 || initial != nullptr, saved.a,
                 saved.gates, saved.h, buffer);
      for (int64_t i = 0; i < list.count; ++i) {
        const int64_t v = list.rows[i];
        clear_rest(v);
        std::memcpy(h + v * hidden, saved.h + v * ld, hidden * sizeof(T));
      }
      const RowList senders = groups.filter(group, list, [&](int32_t v) { return sends(v); });
      gru.send(senders.rows, senders.count, graphs.node_index, saved.h, saved.values, message,
               buffer);
    }
  }
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
  check_ptr("level_ptr", graphs.level_ptr, graphs.num_levels, graphs.num_nodes);
  check_range("level_node", graphs.level_node, graphs.num_nodes, graphs.num_nodes);
}

template <class T>
void dag_gru_forward(const GraphView& graphs, const DagGruWeights<T>& weights, const T* initial,
                     const Machine& machine, T* h, T* saved) {
  check_graphs(graphs, weights.num_types, weights.num_places);
  const PackedGru<T> gru(weights, kernels<T>(machine));
  const int64_t threads = useful_threads(machine.threads, 5 * graphs.num_nodes, weights.hidden);
  Groups groups(graphs, threads);
  const Buffer<T> message(graphs.num_nodes * gru.layout.ld);
  const Buffer<T> buffers(threads * gru.kernels.buffer_size);
  const Forward<T> forward{
      graphs, gru, initial, Saved<T>(saved, graphs.num_nodes, gru.layout.ld), message.get(), h};
  parallel(threads, [&](const Team& team) {
    gru.pack(team);
    team.barrier();
    for (int64_t group = team.thread; group < groups.count(); group += team.size) {
      forward.run(groups, group, buffers.get() + team.thread * gru.kernels.buffer_size);
    }
  });
}

template void dag_gru_forward<float>(const GraphView&, const DagGruWeights<float>&, const float*,
                                     const Machine&, float*, float*);
template void dag_gru_forward<double>(const GraphView&, const DagGruWeights<double>&, const double*,
                                      const Machine&, double*, double*);

}  // namespace ngae
