#include <algorithm>
#include <numeric>
#include <vector>

#include "buffer.h"
#include "linear.h"
#include "packed_linear.h"
#include "parallel.h"

namespace ngae {
namespace {

// A part of a range that is split into `parts` parts of nearly equal size.
struct Part {
  int64_t begin, end;
  Part(int64_t first, int64_t last, int64_t part, int64_t parts)
      : begin(first + (last - first) * part / parts),
        end(first + (last - first) * (part + 1) / parts) {}
  int64_t size() const { return end - begin; }
};

constexpr int64_t kMostRows = 112;  // of a block: they share a pass over the packed panels

int64_t parts_of(int64_t count, int64_t most) { return (count + most - 1) / most; }

int64_t threads_for(const LinearShape& shape, const Machine& machine) {
  return useful_threads(machine.threads, shape.rows * shape.inputs * shape.outputs);
}

// What a thread needs to multiply a block of rows: their numbers, and room for the kernel, for
// results of some width and for panels of `size` numbers.
template <class T>
class Scratch {
 public:
  Scratch(const Kernels<T>& kernels, int64_t width, int64_t size)
      : rows(kMostRows / kernels.tile_rows * kernels.tile_rows),
        ld(width + 64 / static_cast<int64_t>(sizeof(T))),
        list_(rows),
        buffer_(kernels.buffer_size),
        result_(rows * ld),
        panels_(size) {
    std::iota(list_.begin(), list_.end(), 0);
  }
  const int32_t* list() const { return list_.data(); }
  T* buffer() const { return buffer_.get(); }
  T* result() const { return result_.get(); }
  T* panels() const { return panels_.get(); }

  const int64_t rows, ld;

 private:
  std::vector<int32_t> list_;
  Buffer<T> buffer_, result_, panels_;
};

template <class T>
std::vector<Scratch<T>> scratch_for(int64_t threads, const Kernels<T>& kernels, int64_t width,
                                    int64_t size) {
  std::vector<Scratch<T>> all;
  all.reserve(threads);
  for (int64_t i = 0; i < threads; ++i) all.emplace_back(kernels, width, size);
  return all;
}

// The smaller of x and weight is packed; threads share out the rows of the other.
template <class T>
struct Forward {
  const LinearShape& shape;
  const T *x, *weight, *bias;
  T* out;

  bool packs_x() const { return shape.rows < shape.outputs; }

  void run(const Team& team, const PackedLinear<T>& packed, const Scratch<T>& scratch) const {
    const int64_t count = packs_x() ? shape.outputs : shape.rows;
    const T* left = packs_x() ? weight : x;
    const Part share(0, count, team.thread, team.size);
    const int64_t blocks = parts_of(share.size(), scratch.rows);
    for (int64_t i = 0; i < blocks; ++i) {
      const Part part(share.begin, share.end, i, blocks);
      packed.multiply(scratch.list(), part.size(), left + part.begin * shape.inputs, shape.inputs,
                      scratch.result(), scratch.ld, scratch.buffer());
      packs_x() ? store_columns(scratch, part) : store_rows(scratch, part);
    }
  }

  T bias_of(int64_t j) const { return bias == nullptr ? T{0} : bias[j]; }

  void store_rows(const Scratch<T>& scratch, const Part& rows) const {
    for (int64_t i = 0; i < rows.size(); ++i) {
      const T* from = scratch.result() + i * scratch.ld;
      T* to = out + (rows.begin + i) * shape.outputs;
      for (int64_t j = 0; j < shape.outputs; ++j) to[j] = from[j] + bias_of(j);
    }
  }

  void store_columns(const Scratch<T>& scratch, const Part& columns) const {
    for (int64_t row = 0; row < shape.rows; ++row) {
      T* to = out + row * shape.outputs + columns.begin;
      for (int64_t j = 0; j < columns.size(); ++j) {
        to[j] = scratch.result()[j * scratch.ld + row] + bias_of(columns.begin + j);
      }
    }
  }
};

// dx = dout weight: some panels of weight at a time, packed by the thread that needs them, so that
// they stay in its cache.
template <class T>
struct InputGradient {
  const LinearShape& shape;
  const Kernels<T>& kernels;
  const T *dout, *weight;
  T* dx;

  static constexpr int64_t kPackedBytes = 1 << 19;

  int64_t panels() const { return parts_of(shape.inputs, kernels.panel); }
  int64_t panel_size() const { return shape.outputs * kernels.panel; }
  // Panels that are packed at a time.
  int64_t at_once() const {
    const int64_t bytes = panel_size() * static_cast<int64_t>(sizeof(T));
    return std::min(panels(), std::max<int64_t>(1, kPackedBytes / bytes));
  }

  void run(const Team& team, const Scratch<T>& scratch) const {
    const int64_t groups = parts_of(panels(), at_once());
    const int64_t row_parts = groups < 2 * team.size ? team.size : 1;
    const Part share(0, groups * row_parts, team.thread, team.size);
    for (int64_t task = share.begin; task < share.end; ++task) {
      const Part columns(0, panels(), task / row_parts, groups);
      kernels.pack({weight + columns.begin * kernels.panel, shape.inputs, false, shape.outputs,
                    shape.inputs - columns.begin * kernels.panel, scratch.panels(), panel_size()},
                   0, columns.size());
      multiply(Part(0, shape.rows, task % row_parts, row_parts), columns, scratch);
    }
  }

  void multiply(const Part& rows, const Part& group, const Scratch<T>& scratch) const {
    const int64_t first = group.begin * kernels.panel;
    const int64_t last = std::min(group.end * kernels.panel, shape.inputs);
    const int64_t blocks = parts_of(rows.size(), scratch.rows);
    for (int64_t i = 0; i < blocks; ++i) {
      const Part part(rows.begin, rows.end, i, blocks);
      kernels.multiply(
          {scratch.list(), part.size(), dout + part.begin * shape.outputs, shape.outputs, 1,
           shape.outputs, 0, scratch.panels(), group.size(), scratch.result(), scratch.ld, false},
          scratch.buffer());
      for (int64_t row = 0; row < part.size(); ++row) {
        const T* from = scratch.result() + row * scratch.ld;
        std::copy_n(from, last - first, dx + (part.begin + row) * shape.inputs + first);
      }
    }
  }
};

// dweight = dout^T x: some columns of x at a time, so that their copy stays in the cache.
template <class T>
struct WeightGradient {
  const LinearShape& shape;
  const Kernels<T>& kernels;
  const T *dout, *x;
  T *dweight, *dbias;
  std::vector<int32_t> rows;

  static constexpr int64_t kPanels = 16;

  int64_t buffer_size() const { return kernels.outer_steps * (kPanels + 1) * kernels.panel; }

  void multiply(const Team& team, T* buffer) const {
    const int64_t panels = parts_of(shape.inputs, kernels.panel);
    const int64_t groups = parts_of(panels, kPanels);
    const int64_t most = parts_of(shape.outputs, kernels.tile_rows);
    const int64_t row_parts = groups < 2 * team.size ? std::min(team.size, most) : 1;
    const Part share(0, groups * row_parts, team.thread, team.size);
    for (int64_t task = share.begin; task < share.end; ++task) {
      const Part group(0, panels, task / row_parts, groups);
      const Part part(0, shape.outputs, task % row_parts, row_parts);
      const int64_t first = group.begin * kernels.panel;
      const int64_t last = std::min(group.end * kernels.panel, shape.inputs);
      kernels.outer_product({rows.data(), shape.rows, dout, shape.outputs, x + first, shape.inputs,
                             dweight + first, shape.inputs, part.begin, part.end, last - first},
                            buffer);
    }
  }

  void sum(const Team& team) const {
    const Part share(0, shape.outputs, team.thread, team.size);
    std::fill(dbias + share.begin, dbias + share.end, T{0});
    for (int64_t row = 0; row < shape.rows; ++row) {
      const T* from = dout + row * shape.outputs;
      for (int64_t j = share.begin; j < share.end; ++j) dbias[j] += from[j];
    }
  }
};

}  // namespace

template <class T>
void linear_forward(const LinearShape& shape, const Machine& machine, const T* x, const T* weight,
                    const T* bias, T* out) {
  const Kernels<T>& loops = kernels<T>(machine);
  const Forward<T> forward{shape, x, weight, bias, out};
  const PackedLinear<T> packed(forward.packs_x() ? x : weight, std::min(shape.rows, shape.outputs),
                               shape.inputs, loops);
  const int64_t threads = threads_for(shape, machine);
  const std::vector<Scratch<T>> scratch = scratch_for(threads, loops, packed.width(), 0);
  parallel(threads, [&](const Team& team) {
    packed.pack(team);
    team.barrier();
    forward.run(team, packed, scratch[team.thread]);
  });
}

template <class T>
void linear_backward(const LinearShape& shape, const Machine& machine, const T* dout, const T* x,
                     const T* weight, const LinearGradients<T>& gradients) {
  const Kernels<T>& loops = kernels<T>(machine);
  const InputGradient<T> input{shape, loops, dout, weight, gradients.x};
  WeightGradient<T> by_weight{shape, loops, dout, x, gradients.weight, gradients.bias, {}};
  by_weight.rows.resize(shape.rows);
  std::iota(by_weight.rows.begin(), by_weight.rows.end(), 0);
  const int64_t threads = threads_for(shape, machine);
  const std::vector<Scratch<T>> scratch =
      scratch_for(threads, loops, input.at_once() * loops.panel,
                  std::max(input.at_once() * input.panel_size(), by_weight.buffer_size()));
  parallel(threads, [&](const Team& team) {
    if (gradients.x != nullptr) input.run(team, scratch[team.thread]);
    if (gradients.weight != nullptr) by_weight.multiply(team, scratch[team.thread].panels());
    if (gradients.bias != nullptr) by_weight.sum(team);
  });
}

#define NGAE_LINEAR(T)                                                                     \
  template void linear_forward<T>(const LinearShape&, const Machine&, const T*, const T*,  \
                                  const T*, T*);                                           \
  template void linear_backward<T>(const LinearShape&, const Machine&, const T*, const T*, \
                                   const T*, const LinearGradients<T>&)
NGAE_LINEAR(float);
NGAE_LINEAR(double);

}  // namespace ngae
