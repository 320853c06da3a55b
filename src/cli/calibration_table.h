// SPDX-License-Identifier: Apache-2.0
// What a calibration found, as a table for a terminal.
#pragma once

#include <scrooge/scrooge.hpp>
#include <string>

namespace scrooge::cli {

// The chosen scale of every stage with what it gained in the search, then the losses per token of every block against
// round-to-nearest. Lines end in a newline.
Expected<std::string> calibration_table(const Model& model);

}  // namespace scrooge::cli
