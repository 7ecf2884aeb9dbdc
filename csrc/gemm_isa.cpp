// The table of inner loops for one instruction set. Compiled once for each, with NGAE_LEVEL (its
// name), NGAE_VECTOR_BYTES and NGAE_TILE_ROWS; all but the tables is local to this file.
#include "adam_rows.h"
#include "ascend_rows.h"
#include "gemm.h"
#include "rows.h"

#define NGAE_JOIN_(a, b) a##b
#define NGAE_JOIN(a, b) NGAE_JOIN_(a, b)
#define NGAE_TABLE(type) NGAE_JOIN(type##_kernels_, NGAE_LEVEL)

namespace {

template <class F, class T = typename F::Number>
constexpr ngae::Kernels<T> kTable{
    kPanel<T>,
    kBlockRows * kStride<T>,
    kOuterSteps,
    kTileRows,
    2 * kTileRows * kPanel<T> * F::kFold,
    &pack<F>,
    &multiply<F>,
    &outer_product<F>,
    &run_fma<F>,
    &sum_neighbours<T>,
    &gru_forward_rows<T>,
    &gru_backward_rows<T>,
    &message_forward_rows<T>,
    &message_backward_rows<T>,
    &sum_by_key<T>,
    &relu_dot<T>,
    &relu_dot_backward<T>,
    &bias_relu<T>,
    &relu_backward<T>,
    &output_backward<T>,
    &ascent_step<T>,
    &sum_of_squares<T>,
    &adam<T>,
    &sigmoid_all<T>,
    &tanh_all<T>,
};

}  // namespace

namespace ngae {

const Kernels<float>* NGAE_TABLE(float)() { return &kTable<Exact<float>>; }
const Kernels<double>* NGAE_TABLE(double)() { return &kTable<Exact<double>>; }
const Kernels<float>* NGAE_TABLE(bf16)() { return &kTable<Bf16>; }

}  // namespace ngae
