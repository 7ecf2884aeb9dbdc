// linear forward and backward against plain loops, in every form, at shapes that fill no panel,
// tile or block evenly and at shapes that threads share.
#include <limits>
#include <utility>

#include "check.h"
#include "forms.h"
#include "linear.h"
#include "parallel.h"
#include "random.h"

namespace native {
namespace {

using ngae::LinearShape;

template <class T>
struct Arrays {
  std::vector<T> x, weight, bias, dout;

  explicit Arrays(const LinearShape& s) {
    Random random(26);
    // Sums near 1, so that their rounding stays far below the tolerance.
    const auto scale = [](int64_t terms) {
      return 1 / std::sqrt(static_cast<double>(std::max<int64_t>(terms, 1)));
    };
    x = random.reals<T>(s.rows * s.inputs);
    weight = random.reals<T>(s.outputs * s.inputs, scale(s.inputs));
    bias = random.reals<T>(s.outputs);
    dout = random.reals<T>(s.rows * s.outputs, scale(s.rows));
  }
};

template <class T>
struct Result {
  std::vector<T> out, dx, dweight, dbias;

  // What is not written stays NaN, which equals nothing.
  explicit Result(const LinearShape& s)
      : out(s.rows * s.outputs, kNone),
        dx(s.rows * s.inputs, kNone),
        dweight(s.outputs * s.inputs, kNone),
        dbias(s.outputs, kNone) {}

  static constexpr T kNone = std::numeric_limits<T>::quiet_NaN();
};

template <class T>
Result<T> compute(const LinearShape& s, const Arrays<T>& in, const ngae::Machine& machine) {
  Result<T> out(s);
  ngae::linear_forward<T>(s, machine, in.x.data(), in.weight.data(), in.bias.data(),
                          out.out.data());
  ngae::linear_backward<T>(s, machine, in.dout.data(), in.x.data(), in.weight.data(),
                           {out.dx.data(), out.dweight.data(), out.dbias.data()});
  return out;
}

struct Matrix {
  const double* data;
  int64_t row_step, column_step;
};

// to (rows, columns) += a (rows, depth) b (depth, columns)
void add_product(const Matrix& a, const Matrix& b, int64_t rows, int64_t depth, int64_t columns,
                 double* to) {
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t k = 0; k < depth; ++k) {
      const double left = a.data[i * a.row_step + k * a.column_step];
      const double* right = b.data + k * b.row_step;
      for (int64_t j = 0; j < columns; ++j) to[i * columns + j] += left * right[j * b.column_step];
    }
  }
}

template <class T>
Result<double> naive(const LinearShape& s, const Arrays<T>& in, bool bf16) {
  const auto operand = [&](const std::vector<T>& array) {
    std::vector<double> out(array.begin(), array.end());
    if (bf16) std::transform(out.begin(), out.end(), out.begin(), round_to_bf16);
    return out;
  };
  const std::vector<double> x = operand(in.x), weight = operand(in.weight), dout = operand(in.dout);
  Result<double> to(s);
  for (std::vector<double>* sums : {&to.dx, &to.dweight, &to.dbias}) {
    std::fill(sums->begin(), sums->end(), 0);
  }
  for (size_t i = 0; i < to.out.size(); ++i) {
    const size_t j = i % in.bias.size();
    to.out[i] = static_cast<double>(in.bias[j]);
    to.dbias[j] += static_cast<double>(in.dout[i]);
  }
  add_product({x.data(), s.inputs, 1}, {weight.data(), 1, s.inputs}, s.rows, s.inputs, s.outputs,
              to.out.data());
  add_product({dout.data(), s.outputs, 1}, {weight.data(), s.inputs, 1}, s.rows, s.outputs,
              s.inputs, to.dx.data());
  add_product({dout.data(), 1, s.outputs}, {x.data(), s.inputs, 1}, s.outputs, s.rows, s.inputs,
              to.dweight.data());
  return to;
}

template <class T>
void check_same_bits(const Result<T>& found, const Result<T>& expected, const std::string& what) {
  check_equal(found.out, expected.out, what, ": out");
  check_equal(found.dx, expected.dx, what, ": dx");
  check_equal(found.dweight, expected.dweight, what, ": dweight");
  check_equal(found.dbias, expected.dbias, what, ": dbias");
}

std::string describe(const Form& form, const LinearShape& s) {
  return join(form.level, form.bf16 ? " bf16, " : ", ", s.rows, " x ", s.inputs, " x ", s.outputs);
}

// What the plain loops give, and the same bits with 1, 2 and 3 threads.
template <class T>
void check_shape(const LinearShape& s) {
  const Arrays<T> in(s);
  const Result<double> exact = naive(s, in, false), rounded = naive(s, in, true);
  for (const Form& form : forms<T>()) {
    const std::string what = describe(form, s);
    const Result<T> one = compute(s, in, {form.level, form.bf16, 1});
    const Result<double>& expected = form.bf16 ? rounded : exact;
    check_close(one.out, expected.out, what, ": out");
    check_close(one.dx, expected.dx, what, ": dx");
    check_close(one.dweight, expected.dweight, what, ": dweight");
    check_close(one.dbias, expected.dbias, what, ": dbias");
    for (const int64_t threads : {2, 3}) {
      check_same_bits(compute(s, in, {form.level, form.bf16, threads}), one,
                      join(what, ", ", threads, " threads"));
    }
  }
}

template <class T>
void check_small_shapes() {
  const LinearShape shapes[] = {{0, 5, 7},    {1, 1, 1},   {1, 33, 70},  {70, 33, 1}, {13, 33, 15},
                                {15, 70, 31}, {40, 7, 40}, {230, 5, 17}, {17, 5, 230}};
  for (const LinearShape& shape : shapes) check_shape<T>(shape);
}

TEST(linear_float) { check_small_shapes<float>(); }
TEST(linear_double) { check_small_shapes<double>(); }

// More blocks, groups of panels and groups of columns than threads, and fewer.
template <class T>
void check_shared_shapes() {
  for (const LinearShape& shape :
       {LinearShape{350, 170, 70}, {70, 170, 350}, {24, 1000, 170}, {2, 2100, 960}}) {
    check_equal(ngae::useful_threads(3, shape.rows * shape.inputs * shape.outputs), 3, "threads");
    check_shape<T>(shape);
  }
}

TEST(linear_shared_float) { check_shared_shapes<float>(); }
TEST(linear_shared_double) { check_shared_shapes<double>(); }

// Some rows alone: as many as outputs or fewer, so that another operand is the one that is packed.
template <class T>
void check_rows_alone() {
  const LinearShape all{150, 77, 37};
  const Arrays<T> in(all);
  for (const Form& form : forms<T>()) {
    const Result<T> expected = compute(all, in, {form.level, form.bf16, 1});
    for (const auto& [first, count] : {std::pair{0, 1}, {5, 30}, {20, 37}, {31, 119}}) {
      const LinearShape some{count, all.inputs, all.outputs};
      Arrays<T> part = in;
      const auto cut = [first = first, count = count](std::vector<T> array, int64_t columns) {
        const auto begin = array.begin() + first * columns;
        return std::vector<T>(begin, begin + count * columns);
      };
      part.x = cut(in.x, all.inputs);
      part.dout = cut(in.dout, all.outputs);
      const Result<T> found = compute(some, part, {form.level, form.bf16, 1});
      check_equal(found.out, cut(expected.out, all.outputs), describe(form, some), ": out");
      check_equal(found.dx, cut(expected.dx, all.inputs), describe(form, some), ": dx");
    }
  }
}

TEST(linear_rows_alone_float) { check_rows_alone<float>(); }
TEST(linear_rows_alone_double) { check_rows_alone<double>(); }

TEST(linear_some_gradients) {
  const LinearShape shape{19, 35, 23};
  const Arrays<float> in(shape);
  const Result<float> all = compute(shape, in, {"", false, 1});
  for (int wanted = 0; wanted < 8; ++wanted) {
    Result<float> found(shape);
    ngae::linear_backward<float>(
        shape, {"", false, 1}, in.dout.data(), in.x.data(), in.weight.data(),
        {wanted & 1 ? found.dx.data() : nullptr, wanted & 2 ? found.dweight.data() : nullptr,
         wanted & 4 ? found.dbias.data() : nullptr});
    if (wanted & 1) check_equal(found.dx, all.dx, "dx");
    if (wanted & 2) check_equal(found.dweight, all.dweight, "dweight");
    if (wanted & 4) check_equal(found.dbias, all.dbias, "dbias");
  }
}

TEST(linear_without_bias) {
  for (const LinearShape& shape : {LinearShape{19, 35, 23}, {23, 35, 19}}) {
    Arrays<double> in(shape);
    std::vector<double> found(shape.rows * shape.outputs);
    ngae::linear_forward<double>(shape, {"", false, 1}, in.x.data(), in.weight.data(), nullptr,
                                 found.data());
    std::fill(in.bias.begin(), in.bias.end(), 0);
    check_equal(found, compute(shape, in, {"", false, 1}).out, "out");
  }
}

}  // namespace
}  // namespace native
