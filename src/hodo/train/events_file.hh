#pragma once
/// Event files of TensorBoard: scalars by step.
///
/// A file is a sequence of records:
///   uint64  length of the payload           (little-endian, as all below)
///   uint32  masked CRC-32C of those 8 bytes
///   bytes   payload
///   uint32  masked CRC-32C of the payload
/// mask(c) = rotate_right(c, 15) + 0xa282ead8 modulo 2^32. The payload is a protobuf message Event:
///   1 double wall_time [s], 2 varint step, 3 string file_version ("brain.Event:2", first record
///   only), 5 Summary { 1 repeated Value { 1 string tag, 2 float simple_value } }.

#include "hodo/base/text.hh"
#include "hodo/train/scalars.hh"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

namespace hodo::train {

/// CRC-32C (Castagnoli) of `bytes`.
std::uint32_t crc32c(std::span<const std::byte> bytes);
/// The mask that TensorBoard's records put on a checksum.
std::uint32_t masked_crc(std::uint32_t crc);

/// One framed record.
std::string event_record(std::string_view payload);
/// Payload of the first record of a file.
std::string version_event(double wall_time);
/// Payload with all scalars of a step, tags "prefix/name".
std::string scalar_event(double wall_time, std::int64_t step, std::string_view prefix,
                         const Scalars& scalars);

}  // namespace hodo::train
