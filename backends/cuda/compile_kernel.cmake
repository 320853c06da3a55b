# SPDX-License-Identifier: Apache-2.0
# cmake -DNVCC=... -DSOURCE=... -DOUTPUT=... -DROOT=... -DARCHITECTURES=... -P: one fatbin, and beside it a .log with what
# ptxas says about registers, spills and shared memory. The log is shown when the compiler fails.
string(REPLACE "," ";" architectures "${ARCHITECTURES}")
set(targets "")
foreach(architecture IN LISTS architectures)
  list(APPEND targets sm_${architecture})
endforeach()
list(GET architectures 0 oldest)
list(JOIN targets "," targets)
# One pass of the front end, for the oldest architecture; its PTX serves cards newer than all of these.
# No contraction: decisions are the same bytes as the processor's.
execute_process(
  COMMAND "${NVCC}" --fatbin -std=c++20 --fmad=false -I "${ROOT}" -MD -MF "${OUTPUT}.d" -MT "${OUTPUT}"
    -gencode "arch=compute_${oldest},code=[${targets},compute_${oldest}]" -Xptxas -v -Werror all-warnings
    "${SOURCE}" -o "${OUTPUT}"
  OUTPUT_FILE "${OUTPUT}.log" ERROR_FILE "${OUTPUT}.log" RESULT_VARIABLE failed)
if(failed)
  file(READ "${OUTPUT}.log" log)
  message(FATAL_ERROR "${log}")
endif()
