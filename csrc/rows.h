// Loops over the rows of nodes between the products: sums over neighbours, GRU, messages and
// their gradients. Only for gemm_isa.cpp.
#pragma once

#include "cell.h"
#include "kernels.h"
#include "simd.h"

namespace {

using ngae::GruRows;
using ngae::KeyedSum;
using ngae::MessageRows;
using ngae::RowPairs;
using ngae::Rows;

template <class T>
void sum_neighbours(const Rows<T>& rows, const int32_t* ptr, const int32_t* list, const T* from,
                    T* to) {
  for (int64_t i = 0; i < rows.count; ++i) {
    const int64_t v = rows.list[i];
    for (int64_t j = 0; j < rows.width; j += kLanes<T>) {
      Vector<T> sum{};
      for (int32_t e = ptr[v]; e < ptr[v + 1]; ++e) sum += load(from + list[e] * rows.ld + j);
      store(to + v * rows.ld + j, sum);
    }
  }
}

template <class T>
void gru_forward_rows(const GruRows<T>& p, T* gates, T* h) {
  const int64_t ld = p.rows.ld;
  for (int64_t i = 0; i < p.rows.count; ++i) {
    const int64_t v = p.rows.list[i];
    const T *input = p.type_table + p.node_type[v] * 3 * ld, *a = p.a + v * ld;
    T* gate = gates + v * 3 * ld;
    for (int64_t j = 0; j < p.rows.width; j += kLanes<T>) {
      const auto step = ngae::gru_forward<VectorMath<T>>(
          load(input + j), load(input + ld + j), load(input + 2 * ld + j), load(gate + j),
          load(gate + ld + j), load(gate + 2 * ld + j) + load(p.bias_n + j), load(a + j));
      store(gate + j, step.r);
      store(gate + ld + j, step.z);
      store(gate + 2 * ld + j, step.hidden_n);
      store(h + v * ld + j, step.h);
    }
  }
}

template <class T>
void gru_backward_rows(const GruRows<T>& p, const T* gates, const T* dh, T* dgates, T* dn, T* da) {
  const int64_t ld = p.rows.ld;
  for (int64_t i = 0; i < p.rows.count; ++i) {
    const int64_t v = p.rows.list[i];
    const T *input_n = p.type_table + p.node_type[v] * 3 * ld + 2 * ld, *gate = gates + v * 3 * ld;
    T* dgate = dgates + v * 3 * ld;
    for (int64_t j = 0; j < p.rows.width; j += kLanes<T>) {
      const auto gradient = ngae::gru_backward<VectorMath<T>>(
          load(input_n + j), load(gate + j), load(gate + ld + j), load(gate + 2 * ld + j),
          load(p.a + v * ld + j), load(dh + v * ld + j));
      store(dgate + j, gradient.r);
      store(dgate + ld + j, gradient.z);
      store(dgate + 2 * ld + j, gradient.hidden_n);
      store(dn + v * ld + j, gradient.n);
      store(da + v * ld + j, gradient.a);
    }
  }
}

template <class T>
void message_forward_rows(const MessageRows<T>& p, T* values, T* message) {
  const int64_t ld = p.rows.ld;
  for (int64_t i = 0; i < p.rows.count; ++i) {
    const int64_t v = p.rows.list[i];
    const int64_t place = p.node_index == nullptr ? 0 : p.node_index[v];
    const T *gate_table = p.gate_table + place * ld, *map_table = p.map_table + place * ld;
    T* value = values + v * 2 * ld;
    for (int64_t j = 0; j < p.rows.width; j += kLanes<T>) {
      const Vector<T> gate = VectorMath<T>::sigmoid(load(value + j) + load(gate_table + j));
      const Vector<T> map = load(value + ld + j) + load(map_table + j);
      store(value + j, gate);
      store(value + ld + j, map);
      store(message + v * ld + j, gate * map);
    }
  }
}

template <class T>
void message_backward_rows(const Rows<T>& rows, const int32_t* succ_ptr, const int32_t* succ_dst,
                           const T* da, const T* values, T* dvalues) {
  const int64_t ld = rows.ld;
  for (int64_t i = 0; i < rows.count; ++i) {
    const int64_t u = rows.list[i];
    for (int64_t j = 0; j < rows.width; j += kLanes<T>) {
      Vector<T> sum{};
      for (int32_t e = succ_ptr[u]; e < succ_ptr[u + 1]; ++e)
        sum += load(da + succ_dst[e] * ld + j);
      const auto gradient = ngae::message_backward(load(values + u * 2 * ld + j),
                                                   load(values + u * 2 * ld + ld + j), sum);
      store(dvalues + u * 2 * ld + j, gradient.gate_sum);
      store(dvalues + u * 2 * ld + ld + j, gradient.value);
    }
  }
}

template <class T>
void sum_by_key(const KeyedSum<T>& p, int64_t begin, int64_t end) {
  for (int64_t i = 0; i < p.count; ++i) {
    const int64_t v = p.rows[i];
    const T* from = p.from + v * p.from_ld;
    T* to = p.to + (p.key == nullptr ? 0 : p.key[v]) * p.to_ld;
    for (int64_t j = begin; j < end; j += kLanes<T>) store(to + j, load(to + j) + load(from + j));
  }
}

template <class T>
T relu_dot(const T* source, const T* target, const T* weight, int64_t columns) {
  Vector<T> sum{};
  for (int64_t j = 0; j < columns; j += kLanes<T>) {
    const Vector<T> x = load(source + j) + load(target + j);
    sum += load(weight + j) * (x < 0 ? Vector<T>{} : x);
  }
  T total = 0;
  for (int64_t lane = 0; lane < kLanes<T>; ++lane) total += sum[lane];
  return total;
}

template <class T>
void relu_dot_backward(const RowPairs<T>& p, const T* weight, const T* dscore, T* dsource,
                       T* dtarget, T* dweight, int64_t begin, int64_t end) {
  for (int64_t i = 0; i < p.count; ++i) {
    const int64_t source = p.source[i] * p.ld, target = p.target[i] * p.ld;
    for (int64_t j = begin; j < end; j += kLanes<T>) {
      const Vector<T> x = load(p.from_source + source + j) + load(p.from_target + target + j);
      const Vector<T> dx = x <= 0 ? Vector<T>{} : dscore[i] * load(weight + j);
      store(dsource + source + j, load(dsource + source + j) + dx);
      store(dtarget + target + j, load(dtarget + target + j) + dx);
      store(dweight + j, load(dweight + j) + dscore[i] * (x < 0 ? Vector<T>{} : x));
    }
  }
}

template <class T>
void sigmoid_all(const T* from, T* to, int64_t count) {
  for (int64_t j = 0; j < count; j += kLanes<T>) {
    store(to + j, VectorMath<T>::sigmoid(load(from + j)));
  }
}

template <class T>
void tanh_all(const T* from, T* to, int64_t count) {
  for (int64_t j = 0; j < count; j += kLanes<T>) store(to + j, VectorMath<T>::tanh(load(from + j)));
}

}  // namespace
