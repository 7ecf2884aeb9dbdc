// The list of what was found, each kind and place once, with a count.
#pragma once

#include <string>

#include "now.h"

namespace emulation {

struct Place {  // a line, or the address of an instruction whose line is looked up later
  Site site{nullptr, 0};
  const void* code = nullptr;
};

void report(const std::string& kind, Place place, Place other = {}, const std::string& detail = "");
// A line each, tabs between: kind, kernel, place, other place, block, thread, count, detail. An
// address is written as its offset in the library and the nearest symbol.
std::string findings_text();
void clear_findings();

}  // namespace emulation
