// Stands where CUDA's header of this name stands: matrix products of a warp, 16 x 16 x 16, bfloat16
// operands, float32 sums. A lane holds 8 of the 256 numbers; which ones differs from a GPU, where
// it is unspecified.
#pragma once

#include <cuda_bf16.h>

#include <type_traits>

namespace emulation {

struct Operands {  // of one lane, 8 numbers each
  const __nv_bfloat16 *a, *b;
  const float* c;
  float* d;
};
void multiply(Site site, Operands operands);
// All lanes give one pointer, 32-byte aligned, and one leading dimension of whole 16 bytes.
void check_matrix(Site site, const void* pointer, unsigned ldm, size_t element_bytes);

}  // namespace emulation

namespace nvcuda::wmma {

struct matrix_a;
struct matrix_b;
struct accumulator;
struct row_major;
struct col_major;
enum layout_t { mem_row_major, mem_col_major };

template <class Use, int m, int n, int k, class T, class Layout = void>
struct fragment {
  static_assert(m == 16 && n == 16 && k == 16, "only 16 x 16 x 16 is emulated");
  static_assert(std::is_same_v<T, float> == std::is_same_v<Use, accumulator>);
  static constexpr int num_elements = 8;
  T x[num_elements];
};

template <class Use, class T, class Layout>
void fill_fragment(fragment<Use, 16, 16, 16, T, Layout>& f, T value) {
  for (T& x : f.x) x = value;
}

// Where element `i` of this lane stands in memory.
inline size_t element_offset(int i, unsigned ldm, bool by_rows) {
  const int element = i * 32 + emulation::lane();
  const size_t row = static_cast<size_t>(element) / 16, column = static_cast<size_t>(element) % 16;
  return by_rows ? row * ldm + column : column * ldm + row;
}

template <class Use, class T, class Layout>
void load_matrix_sync(fragment<Use, 16, 16, 16, T, Layout>& f, const T* from, unsigned ldm,
                      NGAE_SITE) {
  emulation::check_matrix({file, line}, from, ldm, sizeof(T));
  for (int i = 0; i < f.num_elements; ++i) {
    f.x[i] = from[element_offset(i, ldm, std::is_same_v<Layout, row_major>)];
  }
}

inline void load_matrix_sync(fragment<accumulator, 16, 16, 16, float>& f, const float* from,
                             unsigned ldm, layout_t layout, NGAE_SITE) {
  emulation::check_matrix({file, line}, from, ldm, sizeof(float));
  for (int i = 0; i < f.num_elements; ++i) {
    f.x[i] = from[element_offset(i, ldm, layout == mem_row_major)];
  }
}

inline void store_matrix_sync(float* to, const fragment<accumulator, 16, 16, 16, float>& f,
                              unsigned ldm, layout_t layout, NGAE_SITE) {
  emulation::check_matrix({file, line}, to, ldm, sizeof(float));
  for (int i = 0; i < f.num_elements; ++i) {
    to[element_offset(i, ldm, layout == mem_row_major)] = f.x[i];
  }
}

template <class LayoutA, class LayoutB>
void mma_sync(fragment<accumulator, 16, 16, 16, float>& d,
              const fragment<matrix_a, 16, 16, 16, __nv_bfloat16, LayoutA>& a,
              const fragment<matrix_b, 16, 16, 16, __nv_bfloat16, LayoutB>& b,
              const fragment<accumulator, 16, 16, 16, float>& c, NGAE_SITE) {
  emulation::multiply({file, line}, {a.x, b.x, c.x, d.x});
}

}  // namespace nvcuda::wmma
