#include "hodo/io/detail/npy_member.hh"

#include "hodo/base/error.hh"
#include "hodo/base/memory.hh"

#include <algorithm>

namespace hodo::io::detail {

namespace {

/// numpy writes headers of some hundred bytes and reads none above 10000.
constexpr std::size_t longest_header = 70'000;

std::string bytes_text(std::uint64_t bytes) {
    return base::human_bytes(static_cast<double>(bytes));
}

}  // namespace

NpyMember read_npy_member(const ZipReader& archive, const ZipMember& member,
                          std::string_view origin, std::uint64_t limit) {
    const auto front = archive.front(member, longest_header);
    auto header = parse_npy_header(front.bytes, member.size, origin);
    const auto data = static_cast<std::uint64_t>(header.size()) * header.element.size;
    HODO_CHECK(member.size - header.data == data,
               "{}: its shape needs {} bytes of data but {} follow; the file is damaged, write it "
               "again",
               origin, data, member.size - header.data);
    HODO_CHECK(member.size <= limit,
               "{}: takes {} when unpacked, more than the {} that an array read here may take; "
               "store fewer events per file, or check where the file comes from",
               origin, bytes_text(member.size), bytes_text(limit));
    return {std::move(header), archive.read(member, Checksum::verify)};
}

void check_room_for_all(const ZipReader& archive) {
    std::uint64_t sum = 0;
    for (const auto& member : archive.members()) sum += std::min(member.size, ~sum);
    if (sum <= ZipReader::small_member) return;
    const auto free = base::available_memory();
    HODO_CHECK(sum <= free / 2,
               "{}: its arrays take {} when unpacked, too much for the {} of memory that are free; "
               "use a larger machine, or check where the file comes from",
               archive.origin(), bytes_text(sum), bytes_text(free));
}

}  // namespace hodo::io::detail
