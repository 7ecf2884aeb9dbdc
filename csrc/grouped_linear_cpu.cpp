#include <algorithm>
#include <exception>
#include <vector>

#include "grouped_linear.h"
#include "parallel.h"

namespace ngae {
namespace {

// Calls body(group, machine) for every group: threads take whole groups, or share each where groups
// are fewer than threads and large. What a thread throws is thrown by the caller.
template <class Body>
void for_each_group(int64_t groups, const LinearShape& shape, const Machine& machine,
                    const Body& body) {
  const int64_t work = shape.rows * shape.inputs * shape.outputs;
  if (groups < machine.threads && useful_threads(machine.threads, work) > 1) {
    for (int64_t group = 0; group < groups; ++group) body(group, machine);
    return;
  }
  const Machine one{machine.level, machine.bf16, 1};
  const int64_t threads = std::min(useful_threads(machine.threads, groups * work), groups);
  std::vector<std::exception_ptr> failures(static_cast<size_t>(std::max<int64_t>(threads, 1)));
  parallel(threads, [&](const Team& team) {
    try {
      for (int64_t group = team.begin(groups); group < team.end(groups); ++group) body(group, one);
    } catch (...) {  // no memory, say
      failures[static_cast<size_t>(team.thread)] = std::current_exception();
    }
  });
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
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
