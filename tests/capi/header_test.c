/* SPDX-License-Identifier: Apache-2.0
 * Compiled alone as C and as C++ of several standards: the header needs nothing included before it. */
#include <scrooge/scrooge.h>

int header_compiles(void);
int header_compiles(void) { return (int)sizeof(scrooge_quantize_options); }
