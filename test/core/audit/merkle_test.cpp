// The tree of RFC 6962: roots of the test data that the implementations of Certificate Transparency
// share, for every number of leaves from one to eight.
#include "core/audit/merkle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/platform/error.h"

namespace {

std::string unhex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

vrm::sha256 hash_of_leaf(std::string_view hex) {
  const std::string leaf = std::string(1, '\0') + unhex(hex);
  vrm::sha256_digest digest;
  digest.begin();
  digest.append(std::as_bytes(std::span(leaf)));
  return digest.finish();
}

const std::vector<std::string_view> leaves = {"",
                                              "00",
                                              "10",
                                              "2021",
                                              "3031",
                                              "40414243",
                                              "5051525354555657",
                                              "606162636465666768696a6b6c6d6e6f"};

const std::vector<std::string_view> roots = {
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

TEST(merkle, has_the_roots_that_certificate_transparency_agrees_on) {
  std::vector<vrm::sha256> tree;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    tree.push_back(hash_of_leaf(leaves[i]));
    const auto root = vrm::merkle_root(std::as_bytes(std::span(tree)));
    const std::string expected = unhex(roots[i]);
    EXPECT_TRUE(std::ranges::equal(root, std::as_bytes(std::span(expected)))) << i + 1 << " leaves";
  }
}

TEST(merkle, refuses_what_is_no_leaf) {
  EXPECT_THROW((void)vrm::merkle_root({}), vrm::error);
  const std::vector<std::byte> half(48);
  EXPECT_THROW((void)vrm::merkle_root(half), vrm::error);
}

}  // namespace
