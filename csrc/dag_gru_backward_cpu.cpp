#include <cstring>
#include <numeric>

#include "merged_graphs.h"
#include "packed_gru.h"
#include "sweep.h"

namespace ngae {
namespace {

// Gradients of every node while they are made, one padded row (or more) each.
template <class T>
struct NodeGradients {
  Buffer<T> h, a, n, gates, values;
  NodeGradients(int64_t num_nodes, int64_t ld)
      : h(num_nodes * ld),
        a(num_nodes * ld),
        n(num_nodes * ld),
        gates(num_nodes * 3 * ld),
        values(num_nodes * 2 * ld) {}
};

// Weights packed for products from the left: da += dgates w_hh, dh += dgate w_gate + dmap w_map.
template <class T>
class TransposedPanels {
 public:
  TransposedPanels(const DagGruWeights<T>& weights, const PackedGru<T>& gru)
      : weights_(weights),
        gru_(gru),
        hidden_(3 * gru.layout.hidden * gru.layout.width),
        message_(2 * gru.layout.hidden * gru.layout.width) {}

  void pack(const Team& team) const {
    const int64_t hidden = gru_.layout.hidden, panel = hidden * gru_.kernels.panel;
    const int64_t begin = team.begin(gru_.layout.panels), end = team.end(gru_.layout.panels);
    const auto pack = gru_.kernels.pack;
    for (int64_t part = 0; part < 3; ++part) {
      pack({weights_.w_hh + part * hidden * hidden, hidden, false, hidden, hidden,
            hidden_.get() + part * panel, 3 * panel},
           begin, end);
    }
    pack({weights_.w_gate, hidden, false, hidden, hidden, message_.get(), 2 * panel}, begin, end);
    pack({weights_.w_map, hidden, false, hidden, hidden, message_.get() + panel, 2 * panel}, begin,
         end);
  }

  void multiply_hidden(const RowList& list, const T* dgates, T* da, T* buffer) const {
    multiply(list, dgates, 3, hidden_.get(), da, buffer);
  }

  void multiply_message(const RowList& list, const T* dvalues, T* dh, T* buffer) const {
    multiply(list, dvalues, 2, message_.get(), dh, buffer);
  }

 private:
  void multiply(const RowList& list, const T* from, int64_t parts, const T* packed, T* to,
                T* buffer) const {
    const RowLayout<T>& layout = gru_.layout;
    gru_.kernels.multiply({list.rows, list.count, from, parts * layout.ld, parts, layout.hidden,
                           layout.ld, packed, layout.panels, to, layout.ld, true},
                          buffer);
  }

  const DagGruWeights<T>& weights_;
  const PackedGru<T>& gru_;
  Buffer<T> hidden_, message_;
};

template <class T>
struct Backward {
  const GraphView& graphs;
  const PackedGru<T>& gru;
  const TransposedPanels<T>& panels;
  const Saved<T>& saved;
  const NodeGradients<T>& gradients;
  bool has_initial;

  bool sends(int32_t v) const { return graphs.succ_ptr[v] < graphs.succ_ptr[v + 1]; }
  bool receives(int32_t v) const {
    return graphs.pred_ptr[v] < graphs.pred_ptr[v + 1] ||
           (has_initial && graphs.root[graphs.node_graph[v]] == v);
  }

  void run(Sweep& sweep, const Team& team, T* buffer) const {
    const auto sends_on = [this](int32_t v) { return sends(v); };
    const auto receives_any = [this](int32_t v) { return receives(v); };
    sweep.down(team, [&](const RowList& list) {
      const RowList senders = sweep.filter(list, sends_on);
      gru.kernels.message_backward({senders.rows, senders.count, gru.layout.width, gru.layout.ld},
                                   graphs.succ_ptr, graphs.succ_dst, gradients.a.get(),
                                   saved.values, gradients.values.get());
      panels.multiply_message(senders, gradients.values.get(), gradients.h.get(), buffer);
      gru.kernels.gru_backward(gru.gru_rows(list.rows, list.count, graphs.node_type, saved.a),
                               saved.gates, gradients.h.get(), gradients.gates.get(),
                               gradients.n.get(), gradients.a.get());
      const RowList receivers = sweep.filter(list, receives_any);
      panels.multiply_hidden(receivers, gradients.gates.get(), gradients.a.get(), buffer);
    });
  }

  // gradients.h of computed nodes from dh (given nodes, hidden): this thread's share of columns,
  // or of nodes where each stands for itself.
  void take(const Team& team, const T* dh, int64_t num_given, const int32_t* place) const {
    const int64_t ld = gru.layout.ld, hidden = gru.layout.hidden;
    T* h = gradients.h.get();
    if (place == nullptr) {
      for (int64_t v = team.begin(num_given); v < team.end(num_given); ++v) {
        std::memcpy(h + v * ld, dh + v * hidden, hidden * sizeof(T));
        std::fill(h + v * ld + hidden, h + (v + 1) * ld, T{0});
      }
      return;
    }
    const int64_t begin = team.begin(ld), end = team.end(ld), last = std::min(end, hidden);
    for (int64_t v = 0; v < graphs.num_nodes; ++v)
      std::fill(h + v * ld + begin, h + v * ld + end, T{0});
    for (int64_t v = 0; v < num_given; ++v) {
      T* to = h + place[v] * ld;
      const T* from = dh + v * hidden;
      for (int64_t j = begin; j < last; ++j) to[j] += from[j];
    }
  }
};

// The gradients of the weights, from those of all nodes. Threads share out elements of the
// results, so each element is one sum over the nodes in their order.
template <class T>
class WeightGradients {
 public:
  WeightGradients(const Backward<T>& backward, const DagGruWeights<T>& weights,
                  const DagGruGradients<T>& out, int64_t threads)
      : backward_(backward),
        layout_(backward.gru.layout),
        weights_(weights),
        out_(out),
        all_(backward.graphs.num_nodes),
        buffer_size_(backward.gru.kernels.outer_steps *
                     (layout_.width + backward.gru.kernels.panel)),
        buffers_(threads * buffer_size_),
        type_sums_(weights.num_types * 4 * layout_.ld),
        place_sums_(std::max<int64_t>(weights.num_places, 1) * 2 * layout_.ld) {
    std::iota(all_.begin(), all_.end(), 0);
    for (const int32_t v : all_) {
      if (backward.sends(v)) senders_.push_back(v);
      if (backward.receives(v)) receivers_.push_back(v);
    }
  }

  void multiply(const Team& team) const {
    const NodeGradients<T>& from = backward_.gradients;
    const Saved<T>& saved = backward_.saved;
    const int64_t hidden = layout_.hidden, ld = layout_.ld, square = hidden * hidden;
    for (int64_t part = 0; part < 3; ++part) {
      outer(team, part, receivers_, from.gates.get() + part * ld, 3 * ld, saved.a,
            out_.w_hh + part * square);
    }
    outer(team, 3, senders_, from.values.get(), 2 * ld, saved.h, out_.w_gate);
    outer(team, 4, senders_, from.values.get() + ld, 2 * ld, saved.h, out_.w_map);
  }

  // Sums by type of dr, dz, dn and of dhidden_n, and by place of dgate and dmap.
  void sum(const Team& team) const {
    const NodeGradients<T>& from = backward_.gradients;
    const GraphView& graphs = backward_.graphs;
    const int64_t ld = layout_.ld, panel = backward_.gru.kernels.panel;
    const int64_t begin = team.begin(layout_.panels) * panel;
    const int64_t end = team.end(layout_.panels) * panel;
    const int32_t* place = weights_.num_places == 0 ? nullptr : graphs.node_index;
    const auto add = [&](const std::vector<int32_t>& rows, const int32_t* key, const T* source,
                         int64_t source_ld, T* to, int64_t to_ld, int64_t keys) {
      for (int64_t i = 0; i < keys; ++i)
        std::fill(to + i * to_ld + begin, to + i * to_ld + end, T{0});
      backward_.gru.kernels.sum_by_key(
          {rows.data(), static_cast<int64_t>(rows.size()), key, source, source_ld, to, to_ld},
          begin, end);
    };
    T *types = type_sums_.get(), *places = place_sums_.get();
    const int64_t num_places = std::max<int64_t>(weights_.num_places, 1);
    for (int64_t part = 0; part < 3; ++part) {
      const T* source = from.gates.get() + part * ld;
      const int64_t to = part < 2 ? part : 3;
      add(all_, graphs.node_type, source, 3 * ld, types + to * ld, 4 * ld, weights_.num_types);
    }
    add(all_, graphs.node_type, from.n.get(), ld, types + 2 * ld, 4 * ld, weights_.num_types);
    for (int64_t part = 0; part < 2; ++part) {
      const T* source = from.values.get() + part * ld;
      add(senders_, place, source, 2 * ld, places + part * ld, 2 * ld, num_places);
    }
  }

  // Writes what `sum` found to where the caller wants it. For one thread, after a barrier.
  void finish() const {
    const int64_t hidden = layout_.hidden, ld = layout_.ld, types = weights_.num_types;
    const T* sums = type_sums_.get();
    for (int64_t i = 0; i < 3 * hidden; ++i) {
      const int64_t part = i / hidden, j = i % hidden;
      T input = 0, state = 0;
      for (int64_t t = 0; t < types; ++t) {
        const T by_type = sums[(t * 4 + part) * ld + j];
        out_.w_ih[i * types + t] = by_type;
        input += by_type;
        state += part < 2 ? by_type : sums[(t * 4 + 3) * ld + j];
      }
      out_.b_ih[i] = input;
      out_.b_hh[i] = state;
    }
    std::fill_n(out_.b_gate, hidden, T{0});
    for (int64_t place = 0; place < std::max<int64_t>(weights_.num_places, 1); ++place) {
      const T *gate = place_sums_.get() + place * 2 * ld, *map = gate + ld;
      for (int64_t j = 0; j < hidden; ++j) out_.b_gate[j] += gate[j];
      if (out_.gate_index != nullptr) std::copy_n(gate, hidden, out_.gate_index + place * hidden);
      if (out_.map_index != nullptr) std::copy_n(map, hidden, out_.map_index + place * hidden);
    }
    if (out_.initial == nullptr) return;
    for (int64_t g = 0; g < backward_.graphs.num_graphs; ++g) {
      const T* da = backward_.gradients.a.get() + backward_.graphs.root[g] * ld;
      std::copy_n(da, hidden, out_.initial + g * hidden);
    }
  }

 private:
  // The share of a team's thread in product `number` of five of the same size.
  void outer(const Team& team, int64_t number, const std::vector<int32_t>& rows, const T* g,
             int64_t g_ld, const T* x, T* out) const {
    const int64_t hidden = layout_.hidden;
    const int64_t begin = std::clamp<int64_t>(team.begin(5 * hidden) - number * hidden, 0, hidden);
    const int64_t end = std::clamp<int64_t>(team.end(5 * hidden) - number * hidden, 0, hidden);
    if (begin == end) return;
    backward_.gru.kernels.outer_product({rows.data(), static_cast<int64_t>(rows.size()), g, g_ld, x,
                                         layout_.ld, out, hidden, begin, end, hidden},
                                        buffers_.get() + team.thread * buffer_size_);
  }

  const Backward<T>& backward_;
  const RowLayout<T>& layout_;
  const DagGruWeights<T>& weights_;
  const DagGruGradients<T>& out_;
  std::vector<int32_t> all_, senders_, receivers_;
  int64_t buffer_size_;
  Buffer<T> buffers_, type_sums_, place_sums_;
};

}  // namespace

template <class T>
void dag_gru_backward(const GraphView& graphs, const DagGruWeights<T>& weights, bool has_initial,
                      const Machine& machine, const T* saved_rows, const T* dh,
                      const DagGruGradients<T>& out) {
  check_graphs(graphs, weights.num_types, weights.num_places);
  const MergedGraphs merged(graphs, !has_initial, weights.num_places > 0);
  const GraphView& computed = merged.view();
  const PackedGru<T> gru(weights, kernels<T>(machine));
  const int64_t threads =
      useful_threads(machine.threads, 10 * computed.num_nodes * weights.hidden * weights.hidden);
  const Saved<T> saved(const_cast<T*>(saved_rows), computed.num_nodes, gru.layout.ld);
  const NodeGradients<T> gradients(computed.num_nodes, gru.layout.ld);
  const TransposedPanels<T> panels(weights, gru);
  const Backward<T> backward{computed, gru, panels, saved, gradients, has_initial};
  const WeightGradients<T> weight_gradients(backward, weights, out, threads);
  Sweep sweep(computed, threads);
  const Buffer<T> buffers(threads * gru.kernels.buffer_size);
  parallel(threads, [&](const Team& team) {
    panels.pack(team);
    backward.take(team, dh, graphs.num_nodes, merged.node_to_merged());
    team.barrier();
    backward.run(sweep, team, buffers.get() + team.thread * gru.kernels.buffer_size);
    team.barrier();
    weight_gradients.multiply(team);
    weight_gradients.sum(team);
    team.barrier();
    if (team.thread == 0) weight_gradients.finish();
  });
}

template void dag_gru_backward<float>(const GraphView&, const DagGruWeights<float>&, bool,
                                      const Machine&, const float*, const float*,
                                      const DagGruGradients<float>&);
template void dag_gru_backward<double>(const GraphView&, const DagGruWeights<double>&, bool,
                                       const Machine&, const double*, const double*,
                                       const DagGruGradients<double>&);

}  // namespace ngae
