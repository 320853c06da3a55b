/* SPDX-License-Identifier: Apache-2.0
 * A stranger's program, as C99 and as C++20: program MODEL.scrooge
 * The library it was built with and the one it runs with are the same version, there is a device, the model opens. */
#include <inttypes.h>
#include <scrooge/scrooge.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const char* what, scrooge_error* error) {
  fprintf(stderr, "%s: %s\n", what, scrooge_error_get_message(error));
  scrooge_error_destroy(error);
  return EXIT_FAILURE;
}

int main(int argc, char** argv) {
  const uint32_t built =
      (uint32_t)SCROOGE_VERSION_MAJOR << 24 | (uint32_t)SCROOGE_VERSION_MINOR << 12 | SCROOGE_VERSION_PATCH;
  scrooge_error* error = NULL;
  scrooge_model* model = NULL;
  scrooge_device_info device;
  if (argc != 2 || scrooge_version() != built) return fail("version", NULL);

  memset(&device, 0, sizeof device);
  device.struct_size = (uint32_t)sizeof device;
  if (scrooge_device_count() == 0 || scrooge_device_get_info(0, &device, &error) != SCROOGE_OK) {
    return fail("devices", error);
  }
  if (scrooge_model_open(argv[1], SCROOGE_OPEN_CHECKSUMS, &model, &error) != SCROOGE_OK) return fail("open", error);
  printf("scrooge %s on %s: %" PRIu64 " tensors\n", scrooge_version_string(), device.id,
         scrooge_model_tensor_count(model));
  scrooge_model_close(model);
  return EXIT_SUCCESS;
}
