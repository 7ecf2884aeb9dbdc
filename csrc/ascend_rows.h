// Loops over the rows of latent points between the products of an ascent. Only for gemm_isa.cpp.
#pragma once

#include "kernels.h"
#include "simd.h"

namespace {

using ngae::OutputRows;
using ngae::Rows;

template <class T>
void bias_relu(const Rows<T>& rows, const T* bias, T* x) {
  for (int64_t i = 0; i < rows.count; ++i) {
    T* row = x + rows.list[i] * rows.ld;
    for (int64_t j = 0; j < rows.width; j += kLanes<T>) {
      const Vector<T> sum = load(row + j) + load(bias + j);
      store(row + j, sum < 0 ? Vector<T>{} : sum);
    }
  }
}

template <class T>
void relu_backward(const Rows<T>& rows, const T* x, T* dx) {
  for (int64_t i = 0; i < rows.count; ++i) {
    const int64_t start = rows.list[i] * rows.ld;
    for (int64_t j = start; j < start + rows.width; j += kLanes<T>) {
      store(dx + j, load(x + j) <= 0 ? Vector<T>{} : load(dx + j));
    }
  }
}

template <class T>
void output_backward(const OutputRows<T>& p, const T* doutput, T* x) {
  const Rows<T>& rows = p.rows;
  for (int64_t i = 0; i < rows.count; ++i) {
    T* row = x + rows.list[i] * rows.ld;
    const T* d = doutput + rows.list[i] * p.outputs;
    for (int64_t j = 0; j < rows.width; j += kLanes<T>) {
      Vector<T> sum = d[0] * load(p.weight + j);
      for (int64_t t = 1; t < p.outputs; ++t) sum += d[t] * load(p.weight + t * rows.ld + j);
      const Vector<T> before = load(row + j) + load(p.bias + j);
      store(row + j, before <= 0 ? Vector<T>{} : sum);
    }
  }
}

// Length of a row whose squares stand in the lanes of `squares`, at least 1e-12.
template <class T>
inline T row_norm(Vector<T> squares) {
  T total = 0;
  for (int64_t lane = 0; lane < kLanes<T>; ++lane) total += squares[lane];
  const T norm = static_cast<T>(__builtin_sqrt(total));
  return norm < static_cast<T>(1e-12) ? static_cast<T>(1e-12) : norm;
}

template <class T>
void ascent_step(const Rows<T>& rows, T length, T most, const T* gradient, T* z) {
  for (int64_t i = 0; i < rows.count; ++i) {
    const T* g = gradient + rows.list[i] * rows.ld;
    T* row = z + rows.list[i] * rows.ld;
    Vector<T> squares{};
    for (int64_t j = 0; j < rows.width; j += kLanes<T>) squares += load(g + j) * load(g + j);
    const T norm = row_norm<T>(squares);
    squares = Vector<T>{};
    for (int64_t j = 0; j < rows.width; j += kLanes<T>) {
      const Vector<T> moved = load(row + j) + length * load(g + j) / norm;
      squares += moved * moved;
      store(row + j, moved);
    }
    const T shrink = most / row_norm<T>(squares);
    if (shrink < 1) {
      for (int64_t j = 0; j < rows.width; j += kLanes<T>) store(row + j, load(row + j) * shrink);
    }
  }
}

}  // namespace
