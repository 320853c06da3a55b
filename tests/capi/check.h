/* SPDX-License-Identifier: Apache-2.0
 * How the C tests check: a failure is told and counted, and the test goes on. */
#ifndef SCROOGE_TESTS_CAPI_CHECK_H_
#define SCROOGE_TESTS_CAPI_CHECK_H_

#include <scrooge/scrooge.h>
#include <stdio.h>

static int failures = 0;

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                             \
    }                                                                         \
  } while (0)

/* Checks the status and that an error object came exactly with a failure; returns whether it was the expected one. */
static inline int expect_status(const char* file, int line, scrooge_status got, scrooge_status wanted,
                                scrooge_error* error) {
  const int agrees = got == wanted && (wanted == SCROOGE_OK ? error == NULL
                                                            : error != NULL && scrooge_error_get_status(error) == got &&
                                                                  scrooge_error_get_message(error)[0] != '\0');
  if (!agrees) {
    fprintf(stderr, "%s:%d: got %s (%s), wanted %s\n", file, line, scrooge_status_string(got),
            scrooge_error_get_message(error), scrooge_status_string(wanted));
    ++failures;
  }
  scrooge_error_destroy(error);
  return agrees;
}

/* call(..., &error) with its expectation on one line: EXPECT(SCROOGE_OK, scrooge_verify(..., &error)). */
#define EXPECT(wanted, call) (error = NULL, status = (call), expect_status(__FILE__, __LINE__, status, (wanted), error))

#endif /* SCROOGE_TESTS_CAPI_CHECK_H_ */
