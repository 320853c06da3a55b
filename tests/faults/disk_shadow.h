// SPDX-License-Identifier: Apache-2.0
// What a power cut would leave of one folder: the bytes of each file as of its last sync, and the names as of the
// folder's. Kept beside it by the shim, read by the test. Environment:
//
//   SCROOGE_FAULT_DISK      a folder for the shadow; nothing: none is kept
//   SCROOGE_FAULT_DISK_OF   the folder that it is of. What lies there when the process starts counts as synced
//
// In the shadow: `names`, a line "INODE NAME" for each file, and the bytes of each in a file named INODE.
#pragma once

namespace scrooge::faults {

// At the start of the process, before anything is changed.
void begin_disk_shadow();
// Called for every fsync of a file or folder.
void shadow_sync(int descriptor);

}  // namespace scrooge::faults
