#pragma once
/// What the process does with freed memory.
///
/// A training step makes and frees the same large tensors as the one before. The C library gives
/// freed memory back to the system as soon as some tens of megabytes lie at the end of the heap, so
/// that every step would ask for the same pages again and have them cleared: a tenth of its time.

namespace hodo::tensor {

/// `returned`: as the C library does after tensors of 32 MB have been freed, its own limit.
/// `kept`: up to 1 GB of freed memory waits for the next step.
enum class FreedMemory { returned, kept };

/// For all that the process frees from now on. Does nothing where the C library is another one than
/// glibc.
void set_freed_memory(FreedMemory what);

}  // namespace hodo::tensor
