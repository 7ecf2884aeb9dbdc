// native_tests                 runs every test
// native_tests NAME...         runs the tests whose names contain one of the words
// native_tests --fault KIND    commits a fault on purpose, which a sanitizer must report
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>

#include "check.h"
#include "faults.h"

namespace {

bool wanted(const char* name, int count, char** words) {
  if (count == 0) return true;
  return std::any_of(words, words + count,
                     [&](const char* word) { return std::strstr(name, word) != nullptr; });
}

// Returns whether the test passed.
bool run(const native::Test& test) {
  const auto start = std::chrono::steady_clock::now();
  const char* verdict = "ok";
  std::string message;
  try {
    test.run();
  } catch (const std::exception& error) {
    verdict = "FAILED";
    message = std::string(": ") + error.what();
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("%-6s %6.2f s  %s%s\n", verdict, seconds.count(), test.name, message.c_str());
  std::fflush(stdout);
  return message.empty();
}

}  // namespace

int main(int count, char** words) {
  if (count == 3 && std::strcmp(words[1], "--fault") == 0) return native::commit_fault(words[2]);
  int passed = 0, failed = 0;
  for (const native::Test& test : native::all_tests()) {
    if (!wanted(test.name, count - 1, words + 1)) continue;
    run(test) ? ++passed : ++failed;
  }
  std::printf("%d native tests passed, %d failed\n", passed, failed);
  return failed > 0 || passed == 0 ? 1 : 0;
}
