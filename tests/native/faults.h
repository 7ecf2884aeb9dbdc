// Faults committed on purpose, so that a sanitizer that reports nothing is known to look.
#pragma once

#include <string>

namespace native {

// Commits the fault of that kind: "overflow", "undefined" or "race". Returns 0 where nothing
// stopped it, 2 for an unknown kind.
int commit_fault(const std::string& kind);

}  // namespace native
