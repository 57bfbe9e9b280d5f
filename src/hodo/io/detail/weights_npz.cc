#include "hodo/io/detail/weight_body.hh"

#include "hodo/base/error.hh"
#include "hodo/io/detail/npy_member.hh"
#include "hodo/io/npz.hh"

namespace hodo::io {

/// Arrays are unpacked when the file is opened: their shapes stand in front of their packed data.
WeightBody read_npz_weights(const ZipReader& archive) {
    WeightBody body;
    body.format = "npz";
    body.path = archive.origin();
    detail::check_room_for_all(archive);
    constexpr std::string_view ending = ".npy";
    for (const auto& member : archive.members()) {
        HODO_CHECK(member.name.ends_with(ending),
                   "{}: the archive's member '{}' is no array (*.npy), and it holds no 'data.pkl'; "
                   "it is neither an npz nor a PyTorch file",
                   archive.origin(), member.name);
        const auto name = member.name.substr(0, member.name.size() - ending.size());
        const auto origin = archive.origin() + ": member '" + member.name + "'";
        const auto content = detail::read_npy_member(archive, member, origin, any_size).content;
        auto array = parse_npy(content.bytes, origin);
        body.add({name, array.dtype, array.shape}, [array] { return array; });
    }
    return body;
}

}  // namespace hodo::io
