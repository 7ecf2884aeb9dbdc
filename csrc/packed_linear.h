// A weight matrix of a linear map in panels, ready for products with lists of rows.
#pragma once

#include <cstdint>

#include "buffer.h"
#include "kernels.h"
#include "parallel.h"

namespace ngae {

// A weight (outputs, inputs) as in torch.nn.Linear, or, transposed, (inputs, outputs): the gradient
// by the inputs of the linear map. Keeps a reference to it until it is packed.
template <class T>
class PackedLinear {
 public:
  PackedLinear(const T* weight, int64_t outputs, int64_t inputs, const Kernels<T>& kernels,
               bool transposed = false)
      : weight_(weight),
        transposed_(transposed),
        outputs_(outputs),
        inputs_(inputs),
        panels_((outputs + kernels.panel - 1) / kernels.panel),
        kernels_(kernels),
        packed_(panels_ * kernels.panel * inputs) {}

  // Packs this thread's share of the panels. A barrier belongs after it.
  void pack(const Team& team) const {
    kernels_.pack({weight_, transposed_ ? outputs_ : inputs_, !transposed_, inputs_, outputs_,
                   packed_.get(), inputs_ * kernels_.panel},
                  team.begin(panels_), team.end(panels_));
  }

  // to[row] = (accumulate ? to[row] : 0) + weight from[row] for the listed rows; whole panels of
  // `to` are written.
  void multiply(const int32_t* rows, int64_t count, const T* from, int64_t from_ld, T* to,
                int64_t to_ld, T* buffer, bool accumulate = false) const {
    kernels_.multiply(
        {rows, count, from, from_ld, 1, inputs_, 0, packed_.get(), panels_, to, to_ld, accumulate},
        buffer);
  }

  int64_t width() const { return panels_ * kernels_.panel; }

 private:
  const T* weight_;
  bool transposed_;
  int64_t outputs_, inputs_, panels_;
  const Kernels<T>& kernels_;
  Buffer<T> packed_;
};

}  // namespace ngae
