// SPDX-License-Identifier: Apache-2.0
#include "src/capi/c_support.h"

extern "C" {

uint32_t scrooge_version(void) {
  return (SCROOGE_VERSION_MAJOR << 24) | (SCROOGE_VERSION_MINOR << 12) | SCROOGE_VERSION_PATCH;
}

const char* scrooge_version_string(void) { return SCROOGE_VERSION; }

const char* scrooge_status_string(scrooge_status status) {
  // Every name is a literal, so its data is NUL-terminated.
  return scrooge::status_code_name(static_cast<scrooge::StatusCode>(status)).data();
}

scrooge_status scrooge_error_get_status(const scrooge_error* error) {
  return error == nullptr ? SCROOGE_OK : error->status;
}

const char* scrooge_error_get_message(const scrooge_error* error) {
  return error == nullptr ? "" : error->message.c_str();
}

void scrooge_error_destroy(scrooge_error* error) { delete error; }

}  // extern "C"
