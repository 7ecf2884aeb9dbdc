// What libFuzzer does, as far as it is needed where there is no Clang: changes inputs at random and
// keeps those that reach something new. Flags: -max_total_time=S, -runs=N, -seed=N, -timeout=S;
// other ones are left out. Further words are folders: their files begin it, none are written.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using Input = std::vector<uint8_t>;
constexpr size_t kPlaces = 1 << 16, kLongest = 4096;
uint8_t reached[kPlaces], known[kPlaces];
Input current;

void save() {
  std::ofstream file("crash-input", std::ios::binary);
  file.write(reinterpret_cast<const char*>(current.data()),
             static_cast<std::streamsize>(current.size()));
}

void too_long(int) {
  save();
  const char text[] = "ERROR: an input took too long; it is in crash-input\n";
  if (write(2, text, sizeof text - 1) < 0) _exit(71);
  _exit(70);
}

void dying(int number) {
  save();
  signal(number, SIG_DFL);
  raise(number);
}

struct Flags {
  double seconds = 10;
  int64_t runs = INT64_MAX;
  unsigned seed = 0, timeout = 10;
};

bool takes(const std::string& word, const char* name, std::string& value) {
  const std::string begin = std::string("-") + name + "=";
  if (word.compare(0, begin.size(), begin) != 0) return false;
  value = word.substr(begin.size());
  return true;
}

Input changed(std::mt19937_64& random, Input input, const std::vector<Input>& kept) {
  const auto below = [&](size_t limit) { return static_cast<size_t>(random() % limit); };
  for (size_t times = 1 + below(5); times > 0; --times) {
    const size_t place = input.empty() ? 0 : below(input.size());
    const auto at = input.begin() + static_cast<std::ptrdiff_t>(place);
    const uint8_t value = static_cast<uint8_t>(random());
    switch (below(6)) {
      case 0:
        input.insert(at, 1 + below(4), value);
        break;
      case 1:
        if (!input.empty())
          input.erase(at, at + static_cast<std::ptrdiff_t>(
                                   1 + below(std::min<size_t>(4, input.size() - place))));
        break;
      case 2: {
        const Input& other = kept[below(kept.size())];
        input.resize(place);
        input.insert(input.end(),
                     other.begin() + static_cast<std::ptrdiff_t>(below(other.size() + 1)),
                     other.end());
        break;
      }
      case 3:
        if (!input.empty()) input[place] ^= static_cast<uint8_t>(1 << below(8));
        break;
      default:
        if (!input.empty()) input[place] = value;
    }
  }
  if (input.size() > kLongest) input.resize(kLongest);
  return input;
}

bool is_new() {
  bool found = false;
  for (size_t i = 0; i < kPlaces; ++i) {
    if (reached[i] && !known[i]) {
      found = true;
      known[i] = 1;
    }
    reached[i] = 0;
  }
  return found;
}

}  // namespace

// Called at each block of the instrumented sources.
extern "C" void __sanitizer_cov_trace_pc() {
  const auto at = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  reached[(at ^ at >> 16) % kPlaces] = 1;
}

int main(int count, char** words) {
  Flags flags;
  std::vector<Input> kept{Input{}};
  for (int i = 1; i < count; ++i) {
    std::string value;
    if (takes(words[i], "max_total_time", value)) flags.seconds = std::stod(value);
    if (takes(words[i], "runs", value)) flags.runs = std::stoll(value);
    if (takes(words[i], "seed", value)) flags.seed = static_cast<unsigned>(std::stoul(value));
    if (takes(words[i], "timeout", value)) flags.timeout = static_cast<unsigned>(std::stoul(value));
    if (words[i][0] == '-' || !std::filesystem::is_directory(words[i])) continue;
    for (const auto& entry : std::filesystem::directory_iterator(words[i])) {
      std::ifstream file(entry.path(), std::ios::binary);
      kept.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
  }
  signal(SIGALRM, too_long);
  signal(SIGABRT, dying);
  signal(SIGSEGV, dying);
  std::mt19937_64 random(flags.seed);
  const auto start = std::chrono::steady_clock::now();
  const size_t given = kept.size();
  int64_t done = 0;
  for (; done < flags.runs; ++done) {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    if (passed.count() > flags.seconds) break;
    const size_t first = static_cast<size_t>(done);
    current = first < given ? kept[first] : changed(random, kept[random() % kept.size()], kept);
    alarm(flags.timeout);
    LLVMFuzzerTestOneInput(current.data(), current.size());
    if (is_new() && first >= given) kept.push_back(current);
  }
  const auto places = std::count(known, known + kPlaces, 1);
  std::fprintf(stderr, "#%lld DONE cov: %lld corp: %zu\nstat::number_of_executed_units: %lld\n",
               static_cast<long long>(done), static_cast<long long>(places), kept.size(),
               static_cast<long long>(done));
}
