// philox: the known answers of Random123, and which word decides what.
#include <array>

#include "check.h"
#include "philox.h"

namespace native {
namespace {

using Words = std::array<uint32_t, 4>;

void check_words(const Words& counter, uint32_t key0, uint32_t key1, const Words& expected) {
  const ngae::PhiloxBlock block =
      ngae::philox({{counter[0], counter[1], counter[2], counter[3]}}, key0, key1);
  for (size_t i = 0; i < 4; ++i) check_equal(block.word[i], expected[i], "word ", i);
}

TEST(philox_known_answers) {
  constexpr uint32_t ones = 0xffffffff;
  check_words({0, 0, 0, 0}, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  check_words({ones, ones, ones, ones}, ones, ones,
              {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  check_words({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0,
              {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST(draw_takes_seed_sample_node_and_block) {
  const auto sample = static_cast<int64_t>(0x85a308d3243f6a88);
  const ngae::PhiloxBlock found = ngae::draw(0x299f31d0a4093822, sample, 0x13198a2e, 0x03707344);
  check_equal(found.word[0], 0xd16cfe09, "word 0");
}

TEST(uniforms_fill_the_unit_interval) {
  check_equal(ngae::to_uniform(0), 0.0f, "of 0");
  check_equal(ngae::to_uniform(0x80000000), 0.5f, "of 2^31");
  check_equal(ngae::to_uniform(0xffffffff), 1 - 0x1p-24f, "of the largest word");
}

}  // namespace
}  // namespace native
