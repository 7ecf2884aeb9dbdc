// A 128-bit digest of a sequence of integers, the same on every machine; not for secrets.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace ngae {

using Digest = std::array<uint8_t, 16>;

inline uint64_t mix(uint64_t x) {  // splitmix64's finaliser: a bijection of 64 bits
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

inline Digest digest_of(const std::vector<int32_t>& sequence) {
  uint64_t lanes[2] = {0x9e3779b97f4a7c15ULL, 0xc2b2ae3d27d4eb4fULL};
  for (const int32_t value : sequence) {
    const uint64_t word = static_cast<uint32_t>(value);
    lanes[0] = mix(lanes[0] + word) * 0xff51afd7ed558ccdULL;
    lanes[1] = mix(lanes[1] ^ (word * 0x9fb21c651e98df25ULL)) + lanes[0];
  }
  Digest digest;
  for (int lane = 0; lane < 2; ++lane) {
    const uint64_t last = mix(lanes[lane] + sequence.size());
    for (int i = 0; i < 8; ++i) digest[8 * lane + i] = static_cast<uint8_t>(last >> (8 * i));
  }
  return digest;
}

}  // namespace ngae
