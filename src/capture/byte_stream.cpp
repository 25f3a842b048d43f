// SPDX-License-Identifier: Apache-2.0
#include "capture/byte_stream.h"

#include <cerrno>
#include <cstring>
#include <new>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/error.h"
#include "sys/fd.h"

namespace linearb::capture {
namespace {

constexpr unsigned kGzipBufferBytes = 256 * 1024;

ssize_t read_stream(void* stream, char* bytes, std::size_t size) {
  return static_cast<ByteStream*>(stream)->read({reinterpret_cast<std::uint8_t*>(bytes), size});
}

const char* reason_of(int zlib_error) noexcept {
  switch (zlib_error) {
    case Z_ERRNO:
      return std::strerror(errno);
    case Z_BUF_ERROR:
      return "the gzip stream ends early";
    default:
      return "the gzip stream is damaged";
  }
}

/// Answers ftell, which asks for the place without moving it; a stream cannot be moved.
int tell_stream(void* stream, off64_t* offset, int whence) {
  if (whence != SEEK_CUR || *offset != 0) {
    errno = ESPIPE;
    return -1;
  }
  *offset = static_cast<off64_t>(static_cast<ByteStream*>(stream)->position());
  return 0;
}

}  // namespace

ByteStream::ByteStream(const std::string& path) {
  sys::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) throw UsageError(fmt::format("open {}: {}", path, std::strerror(errno)));
  struct stat status {};
  if (::fstat(fd.get(), &status) == 0 && S_ISDIR(status.st_mode))
    throw UsageError(fmt::format("open {}: {}", path, std::strerror(EISDIR)));
  if (S_ISREG(status.st_mode)) file_size_ = static_cast<std::uint64_t>(status.st_size);
  file_ = ::gzdopen(fd.get(), "rb");
  if (!file_) throw std::bad_alloc();
  static_cast<void>(fd.release());
  ::gzbuffer(file_, kGzipBufferBytes);
}

ssize_t ByteStream::read(std::span<std::uint8_t> bytes) noexcept {
  int got = ::gzread(file_, bytes.data(), static_cast<unsigned>(bytes.size()));
  int error = Z_OK;
  ::gzerror(file_, &error);
  if (got < 0 || (got == 0 && error != Z_OK)) {
    failure_ = reason_of(error);
    errno = EIO;
    return -1;
  }
  position_ += static_cast<std::uint64_t>(got);
  return got;
}

std::uint64_t ByteStream::file_position() const noexcept {
  const z_off_t position = ::gzoffset(file_);
  return position < 0 ? 0 : static_cast<std::uint64_t>(position);
}

std::unique_ptr<std::FILE, FileCloser> ByteStream::open_file() {
  cookie_io_functions_t functions{};
  functions.read = read_stream;
  functions.seek = tell_stream;
  std::FILE* file = ::fopencookie(this, "rb", functions);
  if (!file) throw std::bad_alloc();
  return std::unique_ptr<std::FILE, FileCloser>(file);
}

}  // namespace linearb::capture
