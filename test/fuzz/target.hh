#pragma once
/// What a fuzz target says: how bytes are read, and what good bytes look like.
///
/// One source per target defines both functions. Reading may throw `base::Error`: bad input is the
/// user's. Everything else that gets out, and every finding of the sanitizers, is a defect.

#include "hodo/base/text.hh"

#include <string>
#include <string_view>
#include <vector>

namespace hodo::fuzz {

/// Reads what may be a file of the target's format.
void read(std::string_view data);

/// Small valid inputs, written into the corpus folder when that is empty.
std::vector<std::string> seeds();

/// A name under which `data` can be opened as a file; lives until the next call.
base::Path as_file(std::string_view data);

/// The bytes that `write` puts into a file with the given ending (".npz").
std::string written(std::string_view ending, void (*write)(const base::Path& file));

}  // namespace hodo::fuzz
