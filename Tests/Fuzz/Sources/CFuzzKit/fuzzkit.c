#include "CFuzzKit.h"

#include <sanitizer/allocator_interface.h>

/* The door of libFuzzer, which comes with -fsanitize=fuzzer and has no header. */
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*test)(const uint8_t *, size_t));

int fuzzer_run(int argc, char **argv, int (*test)(const uint8_t *, size_t)) {
  return LLVMFuzzerRunDriver(&argc, &argv, test);
}

/* One thread runs the inputs, and hooks are called on the thread that allocates. */
static _Thread_local int is_watching;
static _Thread_local long long bytes_now;
static _Thread_local long long bytes_most;

static void did_allocate(const volatile void *memory, size_t bytes) {
  (void)memory;
  if (!is_watching) return;
  bytes_now += (long long)bytes;
  if (bytes_now > bytes_most) bytes_most = bytes_now;
}

static void will_free(const volatile void *memory) {
  if (!is_watching || memory == NULL) return;
  bytes_now -= (long long)__sanitizer_get_allocated_size(memory);
}

void memory_watch_begin(void) {
  static int is_installed;
  if (!is_installed) {
    is_installed = 1;
    __sanitizer_install_malloc_and_free_hooks(did_allocate, will_free);
  }
  bytes_now = bytes_most = 0;
  is_watching = 1;
}

size_t memory_watch_end(void) {
  is_watching = 0;
  return (size_t)bytes_most;
}
