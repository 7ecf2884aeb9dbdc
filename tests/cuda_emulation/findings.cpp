#include "findings.h"

#include <dlfcn.h>

#include <cstdio>
#include <map>
#include <tuple>

namespace emulation {

namespace {

struct Finding {
  const void* kernel;
  Place place, other;
  std::string detail;
  dim3 block;
  int thread;
  int64_t count;
};

using Key = std::tuple<std::string, const void*, std::string, std::string>;
std::map<Key, Finding> findings;

std::string text(const void* code) {
  Dl_info info{};
  if (code == nullptr || dladdr(code, &info) == 0) return "-";
  const auto offset = [&](const void* base) {
    return static_cast<long>(static_cast<const char*>(code) - static_cast<const char*>(base));
  };
  char line[512];
  const char* symbol = info.dli_sname == nullptr ? "?" : info.dli_sname;
  std::snprintf(line, sizeof(line), "+0x%lx %s+0x%lx", offset(info.dli_fbase), symbol,
                info.dli_saddr == nullptr ? 0 : offset(info.dli_saddr));
  return line;
}

std::string text(const Place& place) {
  if (place.site.file == nullptr) return text(place.code);
  return std::string(place.site.file) + ":" + std::to_string(place.site.line);
}

}  // namespace

void report(const std::string& kind, Place place, Place other, const std::string& detail) {
  const Finding finding{now.kernel, place, other, detail, now.block, now.thread, 0};
  const Key key{kind, now.kernel, text(place), text(other)};
  ++findings.try_emplace(key, finding).first->second.count;
}

std::string findings_text() {
  std::string lines;
  for (const auto& [key, finding] : findings) {
    const auto& [kind, kernel, place, other] = key;
    lines += kind + "\t" + text(kernel) + "\t" + place + "\t" + other + "\t" +
             std::to_string(finding.block.x) + "," + std::to_string(finding.block.y) + "\t" +
             std::to_string(finding.thread) + "\t" + std::to_string(finding.count) + "\t" +
             finding.detail + "\n";
  }
  return lines;
}

void clear_findings() { findings.clear(); }

}  // namespace emulation
