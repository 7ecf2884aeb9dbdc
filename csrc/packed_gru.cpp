#include "packed_gru.h"

#include <algorithm>

namespace ngae {

int64_t row_stride(int64_t hidden, int64_t itemsize) {
  const int64_t bytes = (hidden * itemsize + kAlignment - 1) / kAlignment * kAlignment;
  return (bytes + 64) / itemsize;
}

template <class T>
PackedGru<T>::PackedGru(const DagGruWeights<T>& weights, const Kernels<T>& kernels_)
    : layout(weights.hidden, kernels_.panel),
      kernels(kernels_),
      weights_(weights),
      type_table_(weights.num_types * 3 * layout.ld),
      bias_n_(layout.ld),
      gate_table_(std::max<int64_t>(weights.num_places, 1) * layout.ld),
      map_table_(std::max<int64_t>(weights.num_places, 1) * layout.ld),
      hidden_({weights.w_hh, weights.w_hh + layout.hidden * layout.hidden,
               weights.w_hh + 2 * layout.hidden * layout.hidden},
              layout.hidden, layout.hidden, kernels),
      message_({weights.w_gate, weights.w_map}, layout.hidden, layout.hidden, kernels) {
  fill_tables();
}

template <class T>
void PackedGru<T>::fill_tables() const {
  const DagGruWeights<T>& w = weights_;
  const int64_t hidden = layout.hidden, ld = layout.ld;
  std::fill_n(type_table_.get(), w.num_types * 3 * ld, T{0});
  std::fill_n(bias_n_.get(), ld, T{0});
  std::copy_n(w.b_hh + 2 * hidden, hidden, bias_n_.get());
  for (int64_t t = 0; t < w.num_types; ++t) {
    for (int64_t gate = 0; gate < 3; ++gate) {
      T* row = type_table_.get() + (t * 3 + gate) * ld;
      for (int64_t j = 0; j < hidden; ++j) {
        const int64_t i = gate * hidden + j;
        const T input = w.w_ih[i * w.num_types + t] + w.b_ih[i];
        row[j] = gate < 2 ? input + w.b_hh[i] : input;
      }
    }
  }
  const int64_t places = std::max<int64_t>(w.num_places, 1);
  std::fill_n(gate_table_.get(), places * ld, T{0});
  std::fill_n(map_table_.get(), places * ld, T{0});
  for (int64_t place = 0; place < places; ++place) {
    T *gate = gate_table_.get() + place * ld, *map = map_table_.get() + place * ld;
    std::copy_n(w.b_gate, hidden, gate);
    for (int64_t j = 0; j < hidden; ++j) {
      if (w.gate_index != nullptr) gate[j] += w.gate_index[place * hidden + j];
      if (w.map_index != nullptr) map[j] = w.map_index[place * hidden + j];
    }
  }
}

template <class T>
void PackedGru<T>::pack(const Team& team) const {
  hidden_.pack(team);
  message_.pack(team);
}

template <class T>
GruRows<T> PackedGru<T>::gru_rows(const int32_t* rows, int64_t count, const int32_t* node_type,
                                  const T* a) const {
  return {{rows, count, layout.width, layout.ld}, node_type, type_table_.get(), bias_n_.get(), a};
}

template <class T>
void PackedGru<T>::update(const int32_t* rows, int64_t count, const int32_t* node_type,
                          bool has_sums, const T* a, T* gates, T* h, T* buffer) const {
  const int64_t ld = layout.ld;
  if (has_sums) {
    hidden_.multiply(rows, count, a, ld, gates, 3 * ld, buffer, false, ld);
  } else {
    for (int64_t i = 0; i < count; ++i) std::fill_n(gates + rows[i] * 3 * ld, 3 * ld, T{0});
  }
  kernels.gru_forward(gru_rows(rows, count, node_type, a), gates, h);
}

template <class T>
void PackedGru<T>::send(const int32_t* rows, int64_t count, const int32_t* node_index, const T* h,
                        T* values, T* message, T* buffer) const {
  const int64_t ld = layout.ld;
  message_.multiply(rows, count, h, ld, values, 2 * ld, buffer, false, ld);
  const int32_t* place = weights_.num_places == 0 ? nullptr : node_index;
  kernels.message_forward(
      {{rows, count, layout.width, ld}, place, gate_table_.get(), map_table_.get()}, values,
      message);
}

template class PackedGru<float>;
template class PackedGru<double>;

}  // namespace ngae
