// The inner loops that are compiled once for each instruction set, as a table of functions.
//
// Rows of states are padded: they stand `ld` numbers apart, and loops run over whole panels of
// columns, so `ld` is at least the number of columns rounded up to kAlignment bytes. Padding holds
// numbers that nothing reads back.
#pragma once

#include <cstdint>

namespace ngae {

constexpr int64_t kAlignment = 128;  // bytes; the widest panel of any instruction set

// Weights turned into panels: [panel][depth][columns of a panel], zero beyond the last column. In
// bfloat16 two rows of the depth may share the place of one; then the rest is unused, and each part
// of a product is packed apart.
template <class T>
struct Packing {
  const T* weight;
  int64_t ld;       // of weight
  bool transposed;  // element (k, j) is weight[j * ld + k], else weight[k * ld + j]
  int64_t depth;
  int64_t columns;
  T* packed;
  int64_t panel_stride;  // numbers from panel to panel, at least depth * columns of a panel
};

// c[row, :] = (accumulate ? c[row, :] : 0) + a[row, :] B for the listed rows. A row of `a` is
// `parts` pieces of `depth` numbers, `part_stride` apart. Each element adds its products in the
// order of k, so a result depends on no other row. Results of several weights, `piece_panels`
// panels each, stand `piece_stride` apart in a row of `c`.
template <class T>
struct Product {
  const int32_t* rows;
  int64_t count;
  const T* a;
  int64_t a_ld, parts, depth, part_stride;
  const T* packed;
  int64_t panels;
  T* c;
  int64_t c_ld;
  bool accumulate;
  int64_t piece_panels = panels, piece_stride = 0;
};

// out[i, j] = sum over the listed rows of g[row, i] * x[row, j], for i in [begin, end).
template <class T>
struct OuterProduct {
  const int32_t* rows;
  int64_t count;
  const T* g;
  int64_t g_ld;
  const T* x;
  int64_t x_ld;
  T* out;
  int64_t out_ld;
  int64_t begin, end, columns;
};

// What the loops over rows of nodes share. Arrays of all nodes, one row each.
template <class T>
struct Rows {
  const int32_t* list;
  int64_t count;
  int64_t width;  // columns, a multiple of a panel
  int64_t ld;
};

template <class T>
struct GruRows {
  Rows<T> rows;
  const int32_t* node_type;
  const T* type_table;  // (num_node_types, 3 ld): r, z with all biases; n with b_ih
  const T* bias_n;      // (ld,): b_hh of n
  const T* a;           // (num_nodes, ld)
};

template <class T>
struct MessageRows {
  Rows<T> rows;
  const int32_t* node_index;  // or nullptr: row 0 of the tables
  const T* gate_table;        // (max_nodes, ld), with b_gate
  const T* map_table;
};

template <class T>
struct KeyedSum {
  const int32_t* rows;
  int64_t count;
  const int32_t* key;
  const T* from;
  int64_t from_ld;
  T* to;
  int64_t to_ld;
};

// The last layer of a network over relu(x + bias).
template <class T>
struct OutputRows {
  Rows<T> rows;
  const T* bias;  // (ld,), added before the relu
  int64_t outputs;
  const T* weight;  // (outputs, ld)
};

// Pairs of a row of `from_source` and one of `from_target`, rows `ld` apart.
template <class T>
struct RowPairs {
  const int32_t *source, *target;
  int64_t count;
  const T *from_source, *from_target;
  int64_t ld;
};

// What a step of Adam multiplies by; see adam.h.
template <class T>
struct AdamFactors {
  T gradient, mean, square, new_square, step, root, epsilon;
};

template <class T>
struct Kernels {
  int64_t panel;           // columns of a panel
  int64_t buffer_size;     // numbers of scratch that multiply needs
  int64_t outer_steps;     // outer_product's scratch: this times (whole panels of columns + panel)
  int64_t tile_rows;       // most rows of a tile; run_fma reads as many panels
  int64_t fma_operations;  // additions and multiplications of a step of run_fma

  // Panels [begin, end).
  void (*pack)(const Packing<T>&, int64_t begin, int64_t end);
  void (*multiply)(const Product<T>&, T* buffer);
  // Reads no more of x and g than enters the sums.
  void (*outer_product)(const OuterProduct<T>&, T* buffer);
  double (*run_fma)(const T* values, int64_t steps);

  // to[v] = sum of from[u] over u in list[ptr[v]] .. list[ptr[v + 1] - 1].
  void (*sum_neighbours)(const Rows<T>&, const int32_t* ptr, const int32_t* list, const T* from,
                         T* to);
  // gates (num_nodes, 3 ld): w_hh a on entry; r, z, hidden_n on return.
  void (*gru_forward)(const GruRows<T>&, T* gates, T* h);
  // dgates (num_nodes, 3 ld): by the sums in r, z and by hidden_n; dn by the sum in n; da without
  // the part that comes through w_hh.
  void (*gru_backward)(const GruRows<T>&, const T* gates, const T* dh, T* dgates, T* dn, T* da);
  // values (num_nodes, 2 ld): w_gate h, w_map h on entry; gate, map on return.
  void (*message_forward)(const MessageRows<T>&, T* values, T* message);
  // dmessage of node u is the sum of da over its successors; dvalues by gate sum and map.
  void (*message_backward)(const Rows<T>&, const int32_t* succ_ptr, const int32_t* succ_dst,
                           const T* da, const T* values, T* dvalues);
  // to[key[v]] += from[v] over columns [begin, end), multiples of a panel; key nullptr: row 0.
  void (*sum_by_key)(const KeyedSum<T>&, int64_t begin, int64_t end);
  // Sum over j < columns of weight[j] * max(source[j] + target[j], 0).
  T (*relu_dot)(const T* source, const T* target, const T* weight, int64_t columns);
  // Gradients of relu_dot, pair after pair, over columns [begin, end), multiples of a panel:
  // dscore[i] times its derivatives is added to the pair's rows of dsource and dtarget, and to
  // dweight.
  void (*relu_dot_backward)(const RowPairs<T>&, const T* weight, const T* dscore, T* dsource,
                            T* dtarget, T* dweight, int64_t begin, int64_t end);
  // x = max(x + bias, 0), in place.
  void (*bias_relu)(const Rows<T>&, const T* bias, T* x);
  // dx = 0 where x is not above 0, in place.
  void (*relu_backward)(const Rows<T>&, const T* x, T* dx);
  // In place, x = (x + bias > 0) * sum over t of doutput[row, t] * weight[t].
  void (*output_backward)(const OutputRows<T>&, const T* doutput, T* x);
  // z += length * gradient / |gradient|, then drawn back to |z| <= most. Padding must be zero.
  void (*ascent_step)(const Rows<T>&, T length, T most, const T* gradient, T* z);
  T (*sum_of_squares)(const T* x, int64_t count);
  void (*adam)(const AdamFactors<T>&, int64_t count, const T* gradient, T* value, T* mean,
               T* square);
  void (*sigmoid)(const T* from, T* to, int64_t count);  // count a multiple of a panel
  void (*tanh)(const T* from, T* to, int64_t count);
};

}  // namespace ngae
