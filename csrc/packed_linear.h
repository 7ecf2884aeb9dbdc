// The weights of linear maps in panels, ready for products with lists of rows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "buffer.h"
#include "kernels.h"
#include "parallel.h"

namespace ngae {

// Weights of one shape, each (outputs, inputs) as in torch.nn.Linear, or, transposed, (inputs,
// outputs): the gradient by the inputs of the linear map. Keeps references to them until they are
// packed.
template <class T>
class PackedLinear {
 public:
  PackedLinear(std::vector<const T*> weights, int64_t outputs, int64_t inputs,
               const Kernels<T>& kernels, bool transposed = false)
      : weights_(std::move(weights)),
        transposed_(transposed),
        outputs_(outputs),
        inputs_(inputs),
        panels_((outputs + kernels.panel - 1) / kernels.panel),
        kernels_(kernels),
        packed_(all_panels() * kernels.panel * inputs) {}
  PackedLinear(const T* weight, int64_t outputs, int64_t inputs, const Kernels<T>& kernels,
               bool transposed = false)
      : PackedLinear(std::vector<const T*>{weight}, outputs, inputs, kernels, transposed) {}

  // Packs this thread's share of the panels. A barrier belongs after it.
  void pack(const Team& team) const {
    const int64_t size = inputs_ * kernels_.panel;
    for (size_t i = 0; i < weights_.size(); ++i) {
      const int64_t first = static_cast<int64_t>(i) * panels_;
      const auto within = [&](int64_t panel) {
        return std::clamp<int64_t>(panel - first, 0, panels_);
      };
      kernels_.pack({weights_[i], transposed_ ? outputs_ : inputs_, !transposed_, inputs_, outputs_,
                     packed_.get() + first * size, size},
                    within(team.begin(all_panels())), within(team.end(all_panels())));
    }
  }

  // to[row] = (accumulate ? to[row] : 0) + weight from[row] for the listed rows; whole panels of
  // `to` are written. Results of several weights stand `stride` numbers apart in a row.
  void multiply(const int32_t* rows, int64_t count, const T* from, int64_t from_ld, T* to,
                int64_t to_ld, T* buffer, bool accumulate = false, int64_t stride = 0) const {
    if (panels_ == 0) return;
    kernels_.multiply({rows, count, from, from_ld, 1, inputs_, 0, packed_.get(), all_panels(), to,
                       to_ld, accumulate, panels_, stride},
                      buffer);
  }

  int64_t width() const { return panels_ * kernels_.panel; }

 private:
  int64_t all_panels() const { return static_cast<int64_t>(weights_.size()) * panels_; }

  std::vector<const T*> weights_;
  bool transposed_;
  int64_t outputs_, inputs_, panels_;
  const Kernels<T>& kernels_;
  Buffer<T> packed_;
};

}  // namespace ngae
