// pack, multiply and outer_product against plain loops, on every instruction set, at sizes that
// fill no panel, tile, block or stretch evenly.
#include "check.h"
#include "cpu_level.h"
#include "forms.h"
#include "random.h"

namespace native {
namespace {

// `count` of the rows below `limit`, ascending.
std::vector<int32_t> some_rows(int32_t count, int32_t limit) {
  std::vector<int32_t> rows(static_cast<size_t>(count));
  for (int32_t i = 0; i < count; ++i) {
    rows[i] = static_cast<int32_t>(static_cast<int64_t>(i) * limit / std::max(count, 1));
  }
  return rows;
}

struct Shape {
  int32_t rows;
  int64_t depth, columns, parts;
  bool transposed, accumulate;
};

template <class T>
void check_product(const Shape& s, const Form& form) {
  const ngae::Kernels<T>& loops = ngae::kernels<T>({form.level, form.bf16, 1});
  Random random(11);
  const int32_t limit = s.rows + s.rows / 3 + 1;
  const std::vector<int32_t> rows = some_rows(s.rows, limit);
  const int64_t panels = (s.columns + loops.panel - 1) / loops.panel, c_ld = panels * loops.panel;
  const auto a = random.reals<T>(limit * s.parts * s.depth);
  const auto b = random.reals<T>(s.parts * s.depth * s.columns);  // (parts, depth, columns) or so
  auto c = random.reals<T>(limit * c_ld);
  std::vector<double> expected(c.begin(), c.end());
  const auto weight = [&](int64_t part, int64_t k, int64_t j) {
    const int64_t place = s.transposed ? j * s.depth + k : k * s.columns + j;
    return form.round(b[part * s.depth * s.columns + place]);
  };
  for (const int32_t row : rows) {
    for (int64_t j = 0; j < c_ld; ++j) {
      double sum = s.accumulate ? expected[row * c_ld + j] : 0;
      for (int64_t i = 0; j < s.columns && i < s.parts * s.depth; ++i) {
        sum += form.round(a[row * s.parts * s.depth + i]) * weight(i / s.depth, i % s.depth, j);
      }
      expected[row * c_ld + j] = sum;
    }
  }
  const int64_t panel_size = s.depth * loops.panel;
  std::vector<T> packed(panels * s.parts * panel_size), buffer(loops.buffer_size);
  for (int64_t part = 0; part < s.parts; ++part) {
    loops.pack(
        {b.data() + part * s.depth * s.columns, s.transposed ? s.depth : s.columns, s.transposed,
         s.depth, s.columns, packed.data() + part * panel_size, s.parts * panel_size},
        0, panels);
  }
  loops.multiply({rows.data(), s.rows, a.data(), s.parts * s.depth, s.parts, s.depth, s.depth,
                  packed.data(), panels, c.data(), c_ld, s.accumulate},
                 buffer.data());
  check_close(c, expected, form.level, form.bf16 ? " bf16" : "", ", rows ", s.rows, ", depth ",
              s.depth, ", columns ", s.columns, ", parts ", s.parts);
}

template <class T>
void check_products() {
  const Shape shapes[] = {
      {0, 5, 5, 1, true, false},     {1, 1, 1, 1, true, false},     {1, 1, 1, 1, false, true},
      {13, 33, 33, 1, true, false},  {15, 33, 70, 3, false, true},  {27, 64, 64, 2, false, true},
      {115, 7, 17, 1, true, true},   {230, 5, 3, 1, false, false},  {3, 530, 9, 1, true, false},
      {4, 1043, 31, 1, true, false}, {2, 515, 10, 2, false, false},
  };
  for (const Form& form : forms<T>()) {
    for (const Shape& shape : shapes) check_product<T>(shape, form);
  }
}

TEST(products_float) { check_products<float>(); }
TEST(products_double) { check_products<double>(); }

template <class T>
void check_outer_product(int32_t count, int64_t begin, int64_t end, int64_t columns,
                         const Form& form) {
  const ngae::Kernels<T>& loops = ngae::kernels<T>({form.level, form.bf16, 1});
  Random random(12);
  const int32_t limit = count + count / 3 + 1;
  const std::vector<int32_t> rows = some_rows(count, limit);
  const auto g = random.reals<T>(limit * end, 0.3), x = random.reals<T>(limit * columns, 0.3);
  auto out = random.reals<T>(end * columns);
  std::vector<double> expected(out.begin(), out.end());
  for (int64_t i = begin; i < end; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      double sum = 0;
      for (const int32_t row : rows) {
        sum += form.round(g[row * end + i]) * form.round(x[row * columns + j]);
      }
      expected[i * columns + j] = sum;
    }
  }
  const int64_t width = (columns + loops.panel - 1) / loops.panel * loops.panel;
  std::vector<T> buffer(loops.outer_steps * (width + loops.panel));
  loops.outer_product({rows.data(), count, g.data(), end, x.data(), columns, out.data(), columns,
                       begin, end, columns},
                      buffer.data());
  check_close(out, expected, form.level, form.bf16 ? " bf16" : "", ", count ", count, ", ", begin,
              "..", end, ", columns ", columns);
}

template <class T>
void check_outer_products() {
  for (const Form& form : forms<T>()) {
    check_outer_product<T>(0, 0, 5, 5, form);
    check_outer_product<T>(1, 0, 1, 1, form);
    check_outer_product<T>(7, 2, 5, 33, form);
    check_outer_product<T>(40, 3, 64, 64, form);
    check_outer_product<T>(257, 0, 15, 17, form);
    check_outer_product<T>(513, 13, 33, 5, form);
  }
}

TEST(outer_products_float) { check_outer_products<float>(); }
TEST(outer_products_double) { check_outer_products<double>(); }

TEST(unknown_instruction_set) {
  check_invalid([] { ngae::kernels<float>({"z80", false, 1}); }, "expected one of baseline");
  check_equal(ngae::cpu_levels().front(), "baseline", "plainest level");
}

}  // namespace
}  // namespace native
