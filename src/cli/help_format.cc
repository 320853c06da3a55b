// SPDX-License-Identifier: Apache-2.0
#include "src/cli/help_format.h"

namespace scrooge::cli {

std::string HelpFormat::make_option_opts(const CLI::Option* option) const {
  if (option->get_type_size() == 0) return {};  // a flag
  // CLI11 appends what its checks call themselves, after a colon.
  const std::string type = option->get_type_name();
  std::string text = " " + type.substr(0, type.find(':'));
  if (!option->get_default_str().empty()) text += " [" + option->get_default_str() + "]";
  if (option->get_required() && option->nonpositional()) text += " (required)";
  return text;
}

}  // namespace scrooge::cli
