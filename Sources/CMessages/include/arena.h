#ifndef GUILDHALL_ARENA_H
#define GUILDHALL_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct arena_chunk arena_chunk;

/* Memory for one message at a time: taken by moving a pointer, given back all at once. */
typedef struct message_arena {
  /* Hands this arena's memory to protobuf-c. */
  ProtobufCAllocator allocator;
  uint8_t *next;
  uint8_t *end;
  /* What may still be handed out. */
  size_t bytes_left;
  /* Memory beyond the first block, to be freed. */
  arena_chunk *chunks;
  bool is_taken;
  /* Whether a request was refused because the budget was spent. */
  bool is_exhausted;
} message_arena;

/* The calling thread's arena, with a budget; another one when it is in use already. NULL when
 * there is no memory. */
message_arena *message_arena_take(size_t bytes_max);

/* Frees what was handed out. The thread that took the arena gives it back. */
void message_arena_give_back(message_arena *arena);

/* message_arena_allocate when the block is full; the size is rounded already. */
void *message_arena_allocate_slowly(message_arena *arena, size_t rounded);

/* Memory aligned to 8 bytes and not initialized; NULL when the budget is spent. */
static inline void *message_arena_allocate(message_arena *arena, size_t bytes) {
  if (bytes > SIZE_MAX - 7) {
    arena->is_exhausted = true;
    return NULL;
  }
  size_t rounded = (bytes + 7) & ~(size_t)7;
  if (rounded > arena->bytes_left || rounded > (size_t)(arena->end - arena->next))
    return message_arena_allocate_slowly(arena, rounded);
  void *memory = arena->next;
  arena->next += rounded;
  arena->bytes_left -= rounded;
  return memory;
}

#endif
