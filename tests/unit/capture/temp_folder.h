// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <zlib.h>

namespace linearb::test {

using Bytes = std::vector<std::uint8_t>;

/// A test with a folder of its own, which is gone when the test is over.
class TempFolder : public testing::Test {
 protected:
  TempFolder() : folder_(testing::TempDir() + "linearb-test-XXXXXX") {
    if (!::mkdtemp(folder_.data())) ADD_FAILURE() << "no temporary folder";
  }
  ~TempFolder() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  std::string write_file(const std::string& name, std::span<const std::uint8_t> bytes) const {
    std::ofstream stream(path(name), std::ios::binary);
    stream.write(reinterpret_cast<const char*>(bytes.data()),
                 static_cast<std::streamsize>(bytes.size()));
    return path(name);
  }

  std::string write_gzip(const std::string& name, std::span<const std::uint8_t> bytes) const {
    gzFile file = ::gzopen(path(name).c_str(), "wb");
    EXPECT_EQ(::gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())),
              static_cast<int>(bytes.size()));
    EXPECT_EQ(::gzclose(file), Z_OK);
    return path(name);
  }

  static Bytes read_file(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    return Bytes(std::istreambuf_iterator<char>(stream), {});
  }

 private:
  std::string folder_;
};

}  // namespace linearb::test
