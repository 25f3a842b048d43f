# Writes OUTPUT, a C++ file with the text of every framing in FOLDER, so that the binary knows the
# built-in feeds wherever it is run. Run by the build: cmake -D FOLDER=... -D OUTPUT=... -P this.
file(GLOB framings ${FOLDER}/*.toml)
list(SORT framings)
set(entries "")
foreach(framing IN LISTS framings)
  get_filename_component(name ${framing} NAME_WE)
  file(READ ${framing} text)
  string(APPEND entries "    {\"${name}\", R\"toml(${text})toml\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Generated from framings/*.toml by cmake/EmbedFramings.cmake.
#include \"config/embedded_framings.h\"

namespace linearb::config {
namespace {
constexpr EmbeddedFraming kFramings[] = {
${entries}};
}  // namespace

std::span<const EmbeddedFraming> embedded_framings() noexcept { return kFramings; }

}  // namespace linearb::config
")
