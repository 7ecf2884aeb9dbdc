// Products of row lists with packed weights, and of two row lists; vector extensions only, so one
// source serves every instruction set. Only for gemm_isa.cpp.
#pragma once

#include "kernels.h"
#include "simd.h"

#define NGAE_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define NGAE_UNROLL(count) NGAE_PRAGMA(clang loop unroll_count(count))
#else
#define NGAE_UNROLL(count) NGAE_PRAGMA(GCC unroll count)
#endif

namespace {

using ngae::OuterProduct;
using ngae::Packing;
using ngae::Product;

constexpr int64_t kTileRows = NGAE_TILE_ROWS;  // as many as leave registers for two panels' worth
constexpr int64_t kBlockRows = 112 / kTileRows * kTileRows;  // rows that share a pass over weights
constexpr int64_t kOuterRows = 256;                          // rows of one pass of an outer product

template <class T>
constexpr int64_t kPanel = 2 * kLanes<T>;

template <class T>
constexpr int64_t kDepth = 2048 / sizeof(T);  // columns of `a` that are copied at a time

// Rows of the copy are an odd number of cache lines apart, so they do not share sets.
template <class T>
constexpr int64_t kStride = kDepth<T> + 64 / sizeof(T);

template <class T>
using Tile = void (*)(const T* a, int64_t depth, const T* b, T* const* c, bool accumulate);

// c[i][0 .. panel) (+)= a[i][0 .. depth) b, in registers all along.
template <class T, int kRows>
inline void multiply_tile(const T* a, int64_t depth, const T* b, T* const* c, bool accumulate) {
  constexpr int64_t lanes = kLanes<T>;
  Vector<T> sum[kRows][2];
  for (int i = 0; i < kRows; ++i) {
    sum[i][0] = accumulate ? load(c[i]) : Vector<T>{};
    sum[i][1] = accumulate ? load(c[i] + lanes) : Vector<T>{};
  }
  NGAE_UNROLL(4)
  for (int64_t k = 0; k < depth; ++k) {
    const Vector<T> left = load(b), right = load(b + lanes);
    b += 2 * lanes;
    NGAE_UNROLL(16)
    for (int i = 0; i < kRows; ++i) {
      const T x = a[i * kStride<T> + k];
      sum[i][0] += x * left;
      sum[i][1] += x * right;
    }
  }
  for (int i = 0; i < kRows; ++i) {
    store(c[i], sum[i][0]);
    store(c[i] + lanes, sum[i][1]);
  }
}

template <class T>
using OuterTile = void (*)(const OuterProduct<T>& p, int64_t first, int64_t last, int64_t i,
                           int64_t j);

// out[i + row, j .. j + panel) over rows [first, last) of the list; added to unless first is 0.
template <class T, int kRows>
inline void outer_tile(const OuterProduct<T>& p, int64_t first, int64_t last, int64_t i,
                       int64_t j) {
  constexpr int64_t lanes = kLanes<T>;
  Vector<T> sum[kRows][2] = {};
  for (int64_t r = first; r < last; ++r) {
    const T* g = p.g + p.rows[r] * p.g_ld + i;
    const T* x = p.x + p.rows[r] * p.x_ld + j;
    const Vector<T> left = load(x), right = load(x + lanes);
    NGAE_UNROLL(16)
    for (int row = 0; row < kRows; ++row) {
      sum[row][0] += g[row] * left;
      sum[row][1] += g[row] * right;
    }
  }
  const int64_t columns = p.columns - j < 2 * lanes ? p.columns - j : 2 * lanes;
  for (int row = 0; row < kRows; ++row) {
    T* out = p.out + (i + row) * p.out_ld + j;
    T values[2 * lanes];
    store(values, sum[row][0]);
    store(values + lanes, sum[row][1]);
    for (int64_t column = 0; column < columns; ++column) {
      out[column] = first == 0 ? values[column] : out[column] + values[column];
    }
  }
}

// One function for each number of rows from 1 to kTileRows.
template <class T, int kRows = kTileRows>
struct Tiles : Tiles<T, kRows - 1> {
  static Tile<T> tile(int64_t rows) {
    return rows == kRows ? &multiply_tile<T, kRows> : Tiles<T, kRows - 1>::tile(rows);
  }
  static OuterTile<T> outer(int64_t rows) {
    return rows == kRows ? &outer_tile<T, kRows> : Tiles<T, kRows - 1>::outer(rows);
  }
};

template <class T>
struct Tiles<T, 0> {
  static Tile<T> tile(int64_t) { return nullptr; }
  static OuterTile<T> outer(int64_t) { return nullptr; }
};

// Splits `count` rows into tiles of nearly equal size: the first row of tile number `i`.
inline int64_t tile_start(int64_t count, int64_t i) {
  const int64_t tiles = (count + kTileRows - 1) / kTileRows;
  return count * i / tiles;
}

// One block of rows times one stretch of the depth: the copied rows against every panel.
template <class T>
inline void multiply_block(const Product<T>& p, int64_t row, int64_t count, const T* copy,
                           int64_t depth_start, int64_t depth, bool accumulate) {
  const int64_t tiles = (count + kTileRows - 1) / kTileRows;
  for (int64_t panel = 0; panel < p.panels; ++panel) {
    const T* b = p.packed + (panel * p.parts * p.depth + depth_start) * kPanel<T>;
    for (int64_t i = 0; i < tiles; ++i) {
      const int64_t start = tile_start(count, i), size = tile_start(count, i + 1) - start;
      T* c[kTileRows];
      for (int64_t j = 0; j < size; ++j) {
        c[j] = p.c + p.rows[row + start + j] * p.c_ld + panel * kPanel<T>;
      }
      Tiles<T>::tile(size)(copy + start * kStride<T>, depth, b, c, accumulate);
    }
  }
}

template <class T>
void multiply(const Product<T>& p, T* buffer) {
  for (int64_t row = 0; row < p.count; row += kBlockRows) {
    const int64_t count = p.count - row < kBlockRows ? p.count - row : kBlockRows;
    for (int64_t part = 0; part < p.parts; ++part) {
      for (int64_t k = 0; k < p.depth; k += kDepth<T>) {
        const int64_t depth = p.depth - k < kDepth<T> ? p.depth - k : kDepth<T>;
        for (int64_t i = 0; i < count; ++i) {
          const T* a = p.a + p.rows[row + i] * p.a_ld + part * p.part_stride + k;
          std::memcpy(buffer + i * kStride<T>, a, depth * sizeof(T));
        }
        multiply_block(p, row, count, buffer, part * p.depth + k, depth,
                       p.accumulate || part > 0 || k > 0);
      }
    }
  }
}

template <class T>
void outer_product(const OuterProduct<T>& p) {
  const int64_t count = p.end - p.begin, tiles = (count + kTileRows - 1) / kTileRows;
  for (int64_t first = 0; first == 0 || first < p.count; first += kOuterRows) {
    const int64_t last = p.count - first < kOuterRows ? p.count : first + kOuterRows;
    for (int64_t tile = 0; tile < tiles; ++tile) {
      const int64_t i = p.begin + tile_start(count, tile);
      const int64_t size = p.begin + tile_start(count, tile + 1) - i;
      for (int64_t j = 0; j < p.columns; j += kPanel<T>) {
        Tiles<T>::outer(size)(p, first, last, i, j);
      }
    }
  }
}

template <class T>
void pack(const Packing<T>& p, int64_t begin, int64_t end) {
  for (int64_t panel = begin; panel < end; ++panel) {
    T* to = p.packed + panel * p.panel_stride;
    const int64_t first = panel * kPanel<T>;
    const int64_t columns = p.columns - first < kPanel<T> ? p.columns - first : kPanel<T>;
    for (int64_t k = 0; k < p.depth; ++k) {
      const T* from = p.transposed ? p.weight + first * p.ld + k : p.weight + k * p.ld + first;
      const int64_t step = p.transposed ? p.ld : 1;
      for (int64_t j = 0; j < columns; ++j) to[k * kPanel<T> + j] = from[j * step];
      for (int64_t j = columns; j < kPanel<T>; ++j) to[k * kPanel<T> + j] = 0;
    }
  }
}

}  // namespace
