// SPDX-License-Identifier: Apache-2.0
// How --help shows an option: its value and default, without CLI11's notes on checks and exclusions.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace scrooge::cli {

class HelpFormat : public CLI::Formatter {
 public:
  HelpFormat() { column_width(32); }
  std::string make_option_opts(const CLI::Option* option) const override;
};

}  // namespace scrooge::cli
