// SPDX-License-Identifier: Apache-2.0
// The reader's view of a file held against the library's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scrooge/scrooge_reader.h"
#include "tests/support/model_file.h"

namespace scrooge::reader_test {

// open, then the check that needs room.
scrooge_reader_status open_and_check(std::span<const std::byte> file, scrooge_reader& reader,
                                     std::vector<scrooge_reader_name>& room);

// What ModelReader::open does with the bytes, without a file.
Result<container::ModelMetadata> library_reads(std::span<const std::byte> file);

// The first thing that the reader tells differently from the library; empty when there is none. Everything that comes
// out of the reader is looked at.
std::string difference(const scrooge_reader& reader, const container::ModelMetadata& metadata);

// The first row of any tensor that is not the library's, bit for bit; empty when there is none.
std::string row_difference(const scrooge_reader& reader, const container::ModelReader& library);

}  // namespace scrooge::reader_test
