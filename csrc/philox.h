// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): random
// numbers as a function of a key and a counter. Host and device.
#pragma once

#include <cstdint>

#include "cell.h"

namespace ngae {

struct PhiloxBlock {
  uint32_t word[4];
};

NGAE_CELL PhiloxBlock philox(PhiloxBlock counter, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t first = static_cast<uint64_t>(counter.word[0]) * 0xD2511F53u;
    const uint64_t second = static_cast<uint64_t>(counter.word[2]) * 0xCD9E8D57u;
    counter = {{static_cast<uint32_t>(second >> 32) ^ counter.word[1] ^ key0,
                static_cast<uint32_t>(second),
                static_cast<uint32_t>(first >> 32) ^ counter.word[3] ^ key1,
                static_cast<uint32_t>(first)}};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return counter;
}

// A word as a number in [0, 1): a multiple of 2^-24, exact in float.
NGAE_CELL float to_uniform(uint32_t word) {
  return static_cast<float>(word >> 8) * (1.0f / 16777216.0f);
}

constexpr uint32_t kTypeBlock = 0xFFFFFFFFu;

// Block `block` of the numbers that decide node `node` of sample `sample`. The node's type takes
// word 0 of block kTypeBlock, the edge from node u word u % 4 of block u / 4.
NGAE_CELL PhiloxBlock draw(uint64_t seed, int64_t sample, int64_t node, uint32_t block) {
  const uint64_t id = static_cast<uint64_t>(sample);
  const PhiloxBlock counter{{static_cast<uint32_t>(id), static_cast<uint32_t>(id >> 32),
                             static_cast<uint32_t>(node), block}};
  return philox(counter, static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32));
}

}  // namespace ngae
