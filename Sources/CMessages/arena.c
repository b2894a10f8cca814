#include "arena.h"

#include <stdlib.h>

/* Most messages fit, so that most calls take no memory from malloc. */
enum { BLOCK_BYTES = 16 * 1024, CHUNK_BYTES = 64 * 1024 };

/* The address sanitizer sees the edges of what malloc gave alone: each piece gets a chunk then. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EACH_PIECE_ALONE true
#endif
#endif
#ifndef EACH_PIECE_ALONE
#define EACH_PIECE_ALONE false
#endif

struct arena_chunk {
  arena_chunk *following;
  uint8_t bytes[];
};

typedef struct local_arena {
  message_arena arena;
  _Alignas(16) uint8_t block[BLOCK_BYTES];
} local_arena;

/* One a thread: no lock, and freed with the thread. Untouched pages take no memory. */
static _Thread_local local_arena local;

static void *allocate(void *arena, size_t bytes) {
  return message_arena_allocate(arena, bytes);
}

/* All is freed at once, later. */
static void release(void *arena, void *memory) {
  (void)arena;
  (void)memory;
}

message_arena *message_arena_take(size_t bytes_max) {
  message_arena *arena = &local.arena;
  if (arena->is_taken) {
    arena = calloc(1, sizeof *arena);
    if (arena == NULL) return NULL;
  } else {
    arena->next = local.block;
    arena->end = EACH_PIECE_ALONE ? local.block : local.block + BLOCK_BYTES;
  }
  arena->allocator = (ProtobufCAllocator){allocate, release, arena};
  arena->bytes_left = bytes_max;
  arena->is_taken = true;
  arena->is_exhausted = false;
  return arena;
}

void message_arena_give_back(message_arena *arena) {
  while (arena->chunks != NULL) {
    arena_chunk *chunk = arena->chunks;
    arena->chunks = chunk->following;
    free(chunk);
  }
  arena->is_taken = false;
  if (arena != &local.arena) free(arena);
}

void *message_arena_allocate_slowly(message_arena *arena, size_t rounded) {
  if (rounded > arena->bytes_left) {
    arena->is_exhausted = true;
    return NULL;
  }
  /* A large piece gets a chunk of its own, and the block before stays in use. */
  bool is_large = EACH_PIECE_ALONE || rounded >= CHUNK_BYTES / 4;
  size_t size = is_large ? rounded : CHUNK_BYTES;
  arena_chunk *chunk = malloc(sizeof *chunk + size);
  if (chunk == NULL) {
    arena->is_exhausted = true;
    return NULL;
  }
  chunk->following = arena->chunks;
  arena->chunks = chunk;
  arena->bytes_left -= rounded;
  if (!is_large) {
    arena->next = chunk->bytes + rounded;
    arena->end = chunk->bytes + size;
  }
  return chunk->bytes;
}
