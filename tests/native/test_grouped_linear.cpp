// grouped_linear: each group as a linear map of its own, for any number of threads and groups.
#include <limits>
#include <stdexcept>

#include "check.h"
#include "forms.h"
#include "grouped_linear.h"
#include "parallel.h"
#include "random.h"

namespace native {
namespace {

using ngae::LinearShape;

template <class T>
struct Groups {
  LinearShape shape;
  int64_t groups;
  std::vector<T> x, weight, bias, dout;

  Groups(const LinearShape& s, int64_t count) : shape(s), groups(count) {
    Random random(7);
    x = random.reals<T>(count * s.rows * s.inputs);
    weight = random.reals<T>(count * s.outputs * s.inputs);
    bias = random.reals<T>(count * s.outputs);
    dout = random.reals<T>(count * s.rows * s.outputs);
  }
};

// What is not written stays NaN, which equals nothing.
template <class T>
struct Result {
  std::vector<T> out, dx, dweight, dbias;

  explicit Result(const Groups<T>& in)
      : out(in.dout.size(), kNone),
        dx(in.x.size(), kNone),
        dweight(in.weight.size(), kNone),
        dbias(in.bias.size(), kNone) {}

  static constexpr T kNone = std::numeric_limits<T>::quiet_NaN();
};

template <class T>
Result<T> together(const Groups<T>& in, const ngae::Machine& machine) {
  Result<T> to(in);
  ngae::grouped_linear_forward<T>(in.groups, in.shape, machine, in.x.data(), in.weight.data(),
                                  in.bias.data(), to.out.data());
  ngae::grouped_linear_backward<T>(in.groups, in.shape, machine, in.dout.data(), in.x.data(),
                                   in.weight.data(),
                                   {to.dx.data(), to.dweight.data(), to.dbias.data()});
  return to;
}

template <class T>
Result<T> one_by_one(const Groups<T>& in, const ngae::Machine& machine) {
  Result<T> to(in);
  const LinearShape& s = in.shape;
  for (int64_t g = 0; g < in.groups; ++g) {
    const int64_t x = g * s.rows * s.inputs, out = g * s.rows * s.outputs;
    const int64_t weight = g * s.outputs * s.inputs, bias = g * s.outputs;
    ngae::linear_forward<T>(s, machine, in.x.data() + x, in.weight.data() + weight,
                            in.bias.data() + bias, to.out.data() + out);
    ngae::linear_backward<T>(
        s, machine, in.dout.data() + out, in.x.data() + x, in.weight.data() + weight,
        {to.dx.data() + x, to.dweight.data() + weight, to.dbias.data() + bias});
  }
  return to;
}

template <class T>
void check_groups() {
  for (const LinearShape& shape : {LinearShape{0, 5, 7},
                                   {1, 1, 1},
                                   {13, 33, 15},
                                   {40, 7, 70},
                                   {128, 160, 130},
                                   {128, 200, 200}}) {
    for (const int64_t groups : {1, 2, 5}) {
      const Groups<T> in(shape, groups);
      for (const Form& form : forms<T>()) {
        const Result<T> expected = one_by_one(in, {form.level, form.bf16, 1});
        for (const int64_t threads : {1, 2, 3}) {
          const Result<T> found = together(in, {form.level, form.bf16, threads});
          const std::string what = join(form.level, ", ", groups, " groups, ", threads, " threads");
          check_equal(found.out, expected.out, what, ": out");
          check_equal(found.dx, expected.dx, what, ": dx");
          check_equal(found.dweight, expected.dweight, what, ": dweight");
          check_equal(found.dbias, expected.dbias, what, ": dbias");
        }
      }
    }
  }
}

TEST(grouped_linear_float) { check_groups<float>(); }
TEST(grouped_linear_double) { check_groups<double>(); }

// Of the last shape one group is worth a team, of the one before only several together.
TEST(grouped_linear_shapes_take_both_ways) {
  check_equal(ngae::useful_threads(3, 128 * 160 * 130), 1, "a group of the smaller");
  check_equal(ngae::useful_threads(3, 2 * 128 * 160 * 130), 3, "two of them");
  check_equal(ngae::useful_threads(3, 128 * 200 * 200), 3, "a group of the larger");
}

TEST(grouped_linear_throws_to_its_caller) {
  const Groups<float> in({128, 160, 130}, 4);
  for (const int64_t threads : {1, 2}) {
    bool thrown = false;
    try {
      together(in, {"no such level", false, threads});
    } catch (const std::invalid_argument&) {
      thrown = true;
    }
    check(thrown, threads, " threads");
  }
}

TEST(grouped_linear_without_some_gradients) {
  const Groups<float> in({19, 35, 23}, 3);
  const Result<float> all = together(in, {"", false, 1});
  Result<float> found(in);
  ngae::grouped_linear_backward<float>(in.groups, in.shape, {"", false, 1}, in.dout.data(),
                                       in.x.data(), in.weight.data(),
                                       {nullptr, found.dweight.data(), nullptr});
  check_equal(found.dweight, all.dweight, "dweight");
  ngae::grouped_linear_backward<float>(in.groups, in.shape, {"", false, 1}, in.dout.data(),
                                       in.x.data(), in.weight.data(),
                                       {found.dx.data(), nullptr, nullptr});
  check_equal(found.dx, all.dx, "dx");
}

}  // namespace
}  // namespace native
