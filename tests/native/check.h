// What every native test uses: TEST registers a function, a check that fails throws what it found.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace native {

struct Test {
  const char* name;
  void (*run)();
};

// All tests, in no particular order.
inline std::vector<Test>& all_tests() {
  static std::vector<Test> tests;
  return tests;
}

struct Registration {
  Registration(const char* name, void (*run)()) { all_tests().push_back({name, run}); }
};

#define TEST(name)                                                \
  static void name();                                             \
  static const native::Registration register_##name{#name, name}; \
  static void name()

template <class... Parts>
std::string join(const Parts&... parts) {
  std::ostringstream out;
  out.precision(17);
  (out << ... << parts);
  return out.str();
}

template <class... Parts>
void check(bool good, const Parts&... what) {
  if (!good) throw std::runtime_error(join(what...));
}

template <class A, class B, class... Parts>
void check_equal(const A& found, const B& expected, const Parts&... what) {
  check(found == expected, what..., ": expected ", expected, ", found ", found);
}

template <class T, class... Parts>
void check_equal(const std::vector<T>& found, const std::vector<T>& expected,
                 const Parts&... what) {
  check_equal(found.size(), expected.size(), what..., ": size");
  for (size_t i = 0; i < found.size(); ++i) {
    check(found[i] == expected[i], what..., "[", i, "]: expected ", +expected[i], ", found ",
          +found[i]);
  }
}

// The tolerances of torch.testing.assert_close.
template <class T, class... Parts>
void check_close(const std::vector<T>& found, const std::vector<double>& expected,
                 const Parts&... what) {
  const bool single = sizeof(T) == 4;
  const double relative = single ? 1.3e-6 : 1e-7, absolute = single ? 1e-5 : 1e-7;
  check_equal(found.size(), expected.size(), what..., ": size");
  for (size_t i = 0; i < found.size(); ++i) {
    const double distance = std::abs(static_cast<double>(found[i]) - expected[i]);
    if (distance <= absolute + relative * std::abs(expected[i])) continue;
    check(false, what..., "[", i, "]: expected ", expected[i], ", found ", found[i]);
  }
}

// `call` must throw std::logic_error (an argument, or an index out of range) with `part` in its
// message.
template <class Call>
void check_invalid(const Call& call, const std::string& part) {
  try {
    call();
  } catch (const std::logic_error& error) {
    check(std::string(error.what()).find(part) != std::string::npos, "expected \"", part,
          "\" in the message, found \"", error.what(), "\"");
    return;
  }
  check(false, "expected an exception with \"", part, "\", found none");
}

}  // namespace native
