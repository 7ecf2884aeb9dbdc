// The arithmetic of one element of a node: gate, message and GRU, forward and backward.
//
// Written once for CPU vectors, CPU scalars and CUDA threads: V is the number type, Math brings
// Math::sigmoid(V) and Math::tanh(V). Everything is static, so that a copy compiled for one
// instruction set is never linked into code for another.
#pragma once

#if defined(__CUDACC__)
#define NGAE_CELL static __host__ __device__ __forceinline__
#else
#define NGAE_CELL static inline __attribute__((always_inline))
#endif

namespace ngae {

template <class V>
struct GruStep {
  V r, z, hidden_n, h;
};

// h = GRUCell(input, a), with input_* = w_ih onehot(type) + b_ih, hidden_* = w_hh a + b_hh.
template <class Math, class V>
NGAE_CELL GruStep<V> gru_forward(V input_r, V input_z, V input_n, V hidden_r, V hidden_z,
                                 V hidden_n, V a) {
  const V r = Math::sigmoid(input_r + hidden_r);
  const V z = Math::sigmoid(input_z + hidden_z);
  const V n = Math::tanh(input_n + r * hidden_n);
  return {r, z, hidden_n, n + z * (a - n)};
}

// Gradients of a loss by the sums that enter r, z and n, by hidden_n, and by a directly.
template <class V>
struct GruGradient {
  V r, z, n, hidden_n, a;
};

template <class Math, class V>
NGAE_CELL GruGradient<V> gru_backward(V input_n, V r, V z, V hidden_n, V a, V dh) {
  const V n = Math::tanh(input_n + r * hidden_n);
  const V dn = dh * (1 - z) * (1 - n * n);
  const V dz = dh * (a - n) * z * (1 - z);
  const V dr = dn * hidden_n * r * (1 - r);
  return {dr, dz, dn, dn * r, dh * z};
}

// m = gate * value, with gate = sigmoid(gate_sum).
template <class V>
struct MessageGradient {
  V gate_sum, value;
};

template <class V>
NGAE_CELL MessageGradient<V> message_backward(V gate, V value, V dmessage) {
  return {dmessage * value * gate * (1 - gate), dmessage * gate};
}

}  // namespace ngae
