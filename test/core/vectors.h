#pragma once

#include <cstddef>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

/// Published test vectors from test/core/data: blocks of "Name = value" lines.
namespace vrm::test {

using vector = std::map<std::string, std::string>;

inline std::vector<vector> read_vectors(const std::string& file) {
  std::ifstream in(std::string(VRM_TEST_DATA) + "/" + file);
  if (!in) throw std::runtime_error("cannot open " + file);
  std::vector<vector> vectors;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#') || line.empty()) continue;
    const std::size_t equals = line.find(" = ");
    const std::string name = line.substr(0, line.find(' '));
    if (name == "Case") vectors.emplace_back();
    vectors.back()[name] = equals == std::string::npos ? "" : line.substr(equals + 3);
  }
  return vectors;
}

inline std::vector<std::byte> from_hex(const std::string& hex) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

}  // namespace vrm::test
