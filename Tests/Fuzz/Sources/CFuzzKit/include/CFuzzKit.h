#ifndef GUILDHALL_FUZZKIT_H
#define GUILDHALL_FUZZKIT_H

#include <stddef.h>
#include <stdint.h>

/* Tests inputs as the arguments of libFuzzer say, until its time is over or one is a finding. */
int fuzzer_run(int argc, char **argv, int (*test)(const uint8_t *bytes, size_t count));

/* Counts the memory that the thread takes from now on, through the address sanitizer's hooks. */
void memory_watch_begin(void);

/* The most bytes that were taken and not given back at one time since then. */
size_t memory_watch_end(void);

#endif
