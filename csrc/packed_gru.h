// The weights of a propagation in the form that the inner loops take: panels for the products,
// one padded row of inputs per node type, one of terms per place in a graph.
#pragma once

#include <cstdint>

#include "buffer.h"
#include "dag_gru.h"
#include "kernels.h"
#include "packed_linear.h"
#include "parallel.h"

namespace ngae {

template <class T>
struct RowLayout {
  int64_t hidden, ld, panels, width;
  RowLayout(int64_t hidden_dim, int64_t panel)
      : hidden(hidden_dim),
        ld(row_stride(hidden_dim, sizeof(T))),
        panels((hidden_dim + panel - 1) / panel),
        width(panels * panel) {}
};

constexpr int64_t kSavedRows = 7;  // per node: 1, 3, 2 and 1

// Arrays inside `saved`, each one padded row (or 3, or 2) per node.
template <class T>
struct Saved {
  T *a, *gates, *values, *h;
  Saved(T* saved, int64_t num_nodes, int64_t ld)
      : a(saved),
        gates(a + num_nodes * ld),
        values(gates + num_nodes * 3 * ld),
        h(values + num_nodes * 2 * ld) {}
};

template <class T>
class PackedGru {
 public:
  // Fills the tables; `pack` fills the panels. Keeps references to both arguments.
  PackedGru(const DagGruWeights<T>& weights, const Kernels<T>& kernels);

  // Packs this thread's share of the panels. A barrier belongs after it.
  void pack(const Team& team) const;

  // gates[rows] = w_hh a[rows], then r, z, hidden_n; h[rows]. Without `has_sums`, a is all zero.
  void update(const int32_t* rows, int64_t count, const int32_t* node_type, bool has_sums,
              const T* a, T* gates, T* h, T* buffer) const;

  // values[rows] = gate and map of h[rows]; message[rows].
  void send(const int32_t* rows, int64_t count, const int32_t* node_index, const T* h, T* values,
            T* message, T* buffer) const;

  GruRows<T> gru_rows(const int32_t* rows, int64_t count, const int32_t* node_type,
                      const T* a) const;

  const RowLayout<T> layout;
  const Kernels<T>& kernels;

 private:
  void fill_tables() const;

  const DagGruWeights<T>& weights_;
  Buffer<T> type_table_, bias_n_, gate_table_, map_table_;
  PackedLinear<T> hidden_, message_;  // w_hh of r, z, n; w_gate and w_map
};

}  // namespace ngae
