// Products of row lists with packed weights, and of two row lists; vector extensions only, so one
// source serves every instruction set. Only for gemm_isa.cpp.
#pragma once

#include "kernels.h"
#include "operands.h"

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
constexpr int64_t kOuterSteps = 256;  // steps of one pass of an outer product

template <class T>
constexpr int64_t kPanel = 2 * kLanes<T>;

static_assert(kTileRows <= kPanel<double>, "a panel holds a column of a tile");

template <class T>
constexpr int64_t kSteps = 2048 / sizeof(T);  // of rows of `a` that are copied at a time

// Rows of the copy are an odd number of cache lines apart, so they do not share sets.
template <class T>
constexpr int64_t kStride = kSteps<T> + 64 / sizeof(T);

// Sums of a tile, in registers all along: of element i of `a` and a panel, step by step.
template <class F, int kRows>
struct Sums {
  using T = typename F::Number;
  static constexpr int64_t lanes = kLanes<T>;
  Vector<T> sum[kRows][2];

  // Elements of `a` stand `row_stride` apart from row to row and `step_stride` from step to step.
  inline void add(const T* a, int64_t row_stride, int64_t step_stride, const T* b, int64_t steps) {
    NGAE_UNROLL(4)
    for (int64_t k = 0; k < steps; ++k) {
      const Vector<T> left = load(b), right = load(b + lanes);
      b += 2 * lanes;
      NGAE_UNROLL(16)
      for (int i = 0; i < kRows; ++i) {
        const T x = a[i * row_stride + k * step_stride];
        sum[i][0] = F::add(sum[i][0], x, left);
        sum[i][1] = F::add(sum[i][1], x, right);
      }
    }
  }
};

template <class T>
using Tile = void (*)(const T* a, int64_t steps, const T* b, T* const* c, bool accumulate);

// c[i][0 .. panel) (+)= a[i][0 .. steps) b.
template <class F, int kRows, class T = typename F::Number>
inline void multiply_tile(const T* a, int64_t steps, const T* b, T* const* c, bool accumulate) {
  constexpr int64_t lanes = kLanes<T>;
  Sums<F, kRows> sums;
  for (int i = 0; i < kRows; ++i) {
    sums.sum[i][0] = accumulate ? load(c[i]) : Vector<T>{};
    sums.sum[i][1] = accumulate ? load(c[i] + lanes) : Vector<T>{};
  }
  sums.add(a, kStride<T>, 1, b, steps);
  for (int i = 0; i < kRows; ++i) {
    store(c[i], sums.sum[i][0]);
    store(c[i] + lanes, sums.sum[i][1]);
  }
}

template <class T>
using OuterTile = void (*)(const T* g, int64_t steps, const T* x, T* out, int64_t out_ld,
                           int64_t columns, bool accumulate);

// out[i, 0 .. columns) (+)= sum over steps of g[step, i] x[step]; a step of g fills a panel.
template <class F, int kRows, class T = typename F::Number>
inline void outer_tile(const T* g, int64_t steps, const T* x, T* out, int64_t out_ld,
                       int64_t columns, bool accumulate) {
  constexpr int64_t lanes = kLanes<T>;
  Sums<F, kRows> sums{};
  sums.add(g, 1, kPanel<T>, x, steps);
  for (int i = 0; i < kRows; ++i) {
    T values[2 * lanes];
    store(values, sums.sum[i][0]);
    store(values + lanes, sums.sum[i][1]);
    T* to = out + i * out_ld;
    for (int64_t j = 0; j < columns; ++j) to[j] = accumulate ? to[j] + values[j] : values[j];
  }
}

// One function for each number of rows from 1 to kTileRows.
template <class F, int kRows = kTileRows>
struct Tiles : Tiles<F, kRows - 1> {
  using T = typename F::Number;
  static Tile<T> tile(int64_t rows) {
    return rows == kRows ? &multiply_tile<F, kRows> : Tiles<F, kRows - 1>::tile(rows);
  }
  static OuterTile<T> outer(int64_t rows) {
    return rows == kRows ? &outer_tile<F, kRows> : Tiles<F, kRows - 1>::outer(rows);
  }
};

template <class F>
struct Tiles<F, 0> {
  static Tile<typename F::Number> tile(int64_t) { return nullptr; }
  static OuterTile<typename F::Number> outer(int64_t) { return nullptr; }
};

// Splits `count` rows into tiles of nearly equal size: the first row of tile number `i`.
inline int64_t tile_start(int64_t count, int64_t i) {
  const int64_t tiles = (count + kTileRows - 1) / kTileRows;
  return count * i / tiles;
}

// One block of rows times one stretch of the depth: the copied rows against every panel, whose
// part for this stretch starts `offset` numbers from the panel's own start.
template <class F, class T = typename F::Number>
inline void multiply_block(const Product<T>& p, int64_t row, int64_t count, const T* copy,
                           int64_t offset, int64_t steps, bool accumulate) {
  const int64_t tiles = (count + kTileRows - 1) / kTileRows;
  for (int64_t panel = 0; panel < p.panels; ++panel) {
    const T* b = p.packed + panel * p.parts * p.depth * kPanel<T> + offset;
    T* piece = p.c + panel / p.piece_panels * p.piece_stride + panel % p.piece_panels * kPanel<T>;
    for (int64_t i = 0; i < tiles; ++i) {
      const int64_t start = tile_start(count, i), size = tile_start(count, i + 1) - start;
      T* c[kTileRows];
      for (int64_t j = 0; j < size; ++j) {
        c[j] = piece + p.rows[row + start + j] * p.c_ld;
      }
      Tiles<F>::tile(size)(copy + start * kStride<T>, steps, b, c, accumulate);
    }
  }
}

template <class F, class T = typename F::Number>
void multiply(const Product<T>& p, T* buffer) {
  constexpr int64_t stretch = kSteps<T> * F::kFold;
  for (int64_t row = 0; row < p.count; row += kBlockRows) {
    const int64_t count = p.count - row < kBlockRows ? p.count - row : kBlockRows;
    for (int64_t part = 0; part < p.parts; ++part) {
      for (int64_t k = 0; k < p.depth; k += stretch) {
        const int64_t depth = p.depth - k < stretch ? p.depth - k : stretch;
        for (int64_t i = 0; i < count; ++i) {
          const T* a = p.a + p.rows[row + i] * p.a_ld + part * p.part_stride + k;
          F::copy(a, depth, buffer + i * kStride<T>);
        }
        multiply_block<F>(p, row, count, buffer, (part * p.depth + k / F::kFold) * kPanel<T>,
                          steps_of<F>(depth), p.accumulate || part > 0 || k > 0);
      }
    }
  }
}

// Steps [first, last) of the list as operands, one panel of `to` each: `columns` columns, in whole
// vectors, zero beyond the first `most`.
template <class F, class T = typename F::Number>
inline void copy_steps(const OuterProduct<T>& p, int64_t first, int64_t last, const T* from,
                       int64_t ld, int64_t columns, int64_t most, T* to) {
  for (int64_t step = first; step < last; ++step, to += kPanel<T>) {
    for (int64_t j = 0; j < columns; j += kLanes<T>) {
      Vector<T> rows[F::kFold];
      for (int64_t i = 0; i < F::kFold; ++i) {
        const int64_t r = step * F::kFold + i;
        rows[i] = r < p.count ? load_part(from + p.rows[r] * ld + j, most - j) : Vector<T>{};
      }
      store(to + j, F::fold(rows));
    }
  }
}

template <class F, class T = typename F::Number>
void outer_product(const OuterProduct<T>& p, T* buffer) {
  const int64_t count = p.end - p.begin, tiles = (count + kTileRows - 1) / kTileRows;
  const int64_t steps = steps_of<F>(p.count);
  T *g = buffer, *x = buffer + kOuterSteps * kPanel<T>;
  for (int64_t first = 0; first == 0 || first < steps; first += kOuterSteps) {
    const int64_t last = steps - first < kOuterSteps ? steps : first + kOuterSteps;
    for (int64_t j = 0; j < p.columns; j += kPanel<T>) {
      copy_steps<F>(p, first, last, p.x + j, p.x_ld, kPanel<T>, p.columns - j, x + j * kOuterSteps);
    }
    for (int64_t tile = 0; tile < tiles; ++tile) {
      const int64_t i = p.begin + tile_start(count, tile);
      const int64_t size = p.begin + tile_start(count, tile + 1) - i;
      copy_steps<F>(p, first, last, p.g + i, p.g_ld, size, p.end - i, g);
      for (int64_t j = 0; j < p.columns; j += kPanel<T>) {
        const int64_t columns = p.columns - j < kPanel<T> ? p.columns - j : kPanel<T>;
        Tiles<F>::outer(size)(g, last - first, x + j * kOuterSteps, p.out + i * p.out_ld + j,
                              p.out_ld, columns, first > 0);
      }
    }
  }
}

// Rows k .. k + lanes and columns j .. j + lanes of the matrix to pack, zero outside of it.
template <class T>
inline void load_block(const Packing<T>& p, int64_t k, int64_t j, Vector<T>* block) {
  const int64_t lines = p.transposed ? p.columns - j : p.depth - k;
  const int64_t length = p.transposed ? p.depth - k : p.columns - j;
  const T* from = p.transposed ? p.weight + j * p.ld + k : p.weight + k * p.ld + j;
  for (int64_t i = 0; i < kLanes<T>; ++i) {
    block[i] = i < lines ? load_part(from + i * p.ld, length) : Vector<T>{};
  }
  if (p.transposed) transpose<T>(block);
}

template <class F, class T = typename F::Number>
void pack(const Packing<T>& p, int64_t begin, int64_t end) {
  constexpr int64_t lanes = kLanes<T>;
  for (int64_t panel = begin; panel < end; ++panel) {
    for (int64_t k = 0; k < p.depth; k += lanes) {
      for (int64_t half = 0; half < kPanel<T>; half += lanes) {
        Vector<T> block[lanes];
        load_block(p, k, panel * kPanel<T> + half, block);
        const int64_t steps = steps_of<F>(p.depth - k < lanes ? p.depth - k : lanes);
        T* to = p.packed + panel * p.panel_stride + k / F::kFold * kPanel<T> + half;
        for (int64_t step = 0; step < steps; ++step) {
          store(to + step * kPanel<T>, F::fold(block + step * F::kFold));
        }
      }
    }
  }
}

// Multiplies and adds in registers alone, as many chains as a tile has; for the measure of a
// machine's peak. `values` are any kTileRows panels; the result depends on every chain.
template <class F, class T = typename F::Number>
double run_fma(const T* values, int64_t steps) {
  constexpr int64_t lanes = kLanes<T>;
  Sums<F, kTileRows> sums;
  for (int i = 0; i < kTileRows; ++i) {
    for (int j = 0; j < 2; ++j) sums.sum[i][j] = load(values + (2 * i + j) * lanes);
  }
  const Vector<T> b = load(values);
  for (int64_t step = 0; step < steps; ++step) {
    NGAE_UNROLL(16)
    for (int i = 0; i < kTileRows; ++i) {
      for (Vector<T>& sum : sums.sum[i]) {
        sum = F::kFold == 1 ? sum * values[0] + b : F::add(sum, values[0], b);
      }
    }
  }
  double total = 0;
  for (int i = 0; i < kTileRows; ++i) total += sums.sum[i][0][0] + sums.sum[i][1][0];
  return total;
}

}  // namespace
