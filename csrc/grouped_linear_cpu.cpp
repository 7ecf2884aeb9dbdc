#include "grouped_linear.h"
#include "parallel.h"

namespace ngae {
namespace {

// Calls body(group, machine) for every group: threads take groups, or share each where groups are
// fewer.
template <class Body>
void for_each_group(int64_t groups, const LinearShape& shape, const Machine& machine,
                    const Body& body) {
  const int64_t threads =
      useful_threads(machine.threads, groups * shape.rows * shape.inputs * shape.outputs);
  if (groups < threads) {
    for (int64_t group = 0; group < groups; ++group) body(group, machine);
    return;
  }
  const Machine one{machine.level, machine.bf16, 1};
  parallel(threads, [&](const Team& team) {
    for (int64_t group = team.begin(groups); group < team.end(groups); ++group) body(group, one);
  });
}

template <class T>
T* at_group(T* array, int64_t group, int64_t size) {
  return array == nullptr ? nullptr : array + group * size;
}

}  // namespace

template <class T>
void grouped_linear_forward(int64_t groups, const LinearShape& s, const Machine& machine,
                            const T* x, const T* weight, const T* bias, T* out) {
  for_each_group(groups, s, machine, [&](int64_t group, const Machine& own) {
    linear_forward<T>(s, own, at_group(x, group, s.rows * s.inputs),
                      at_group(weight, group, s.outputs * s.inputs),
                      at_group(bias, group, s.outputs), at_group(out, group, s.rows * s.outputs));
  });
}

template <class T>
void grouped_linear_backward(int64_t groups, const LinearShape& s, const Machine& machine,
                             const T* dout, const T* x, const T* weight,
                             const LinearGradients<T>& gradients) {
  for_each_group(groups, s, machine, [&](int64_t group, const Machine& own) {
    linear_backward<T>(s, own, at_group(dout, group, s.rows * s.outputs),
                       at_group(x, group, s.rows * s.inputs),
                       at_group(weight, group, s.outputs * s.inputs),
                       {at_group(gradients.x, group, s.rows * s.inputs),
                        at_group(gradients.weight, group, s.outputs * s.inputs),
                        at_group(gradients.bias, group, s.outputs)});
  });
}

#define NGAE_GROUPED_LINEAR(T)                                                                    \
  template void grouped_linear_forward<T>(int64_t, const LinearShape&, const Machine&, const T*,  \
                                          const T*, const T*, T*);                                \
  template void grouped_linear_backward<T>(int64_t, const LinearShape&, const Machine&, const T*, \
                                           const T*, const T*, const LinearGradients<T>&)
NGAE_GROUPED_LINEAR(float);
NGAE_GROUPED_LINEAR(double);

}  // namespace ngae
