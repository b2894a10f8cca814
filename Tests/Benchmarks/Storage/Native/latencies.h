// What the clients in C measure: how long each command took.
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct latencies {
    uint64_t *values;  // in nanoseconds
    size_t count, room;
};

static inline uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static inline void latencies_add(struct latencies *all, uint64_t value) {
    if (all->count == all->room) {
        all->room = all->room ? all->room * 2 : 4096;
        all->values = realloc(all->values, all->room * sizeof *all->values);
        if (!all->values) abort();
    }
    all->values[all->count++] = value;
}

static inline int latencies_compare(const void *left, const void *right) {
    uint64_t one = *(const uint64_t *)left, other = *(const uint64_t *)right;
    return one < other ? -1 : one > other;
}

// Prints what `report` reads.
static inline void latencies_print(struct latencies *all, uint64_t elapsed_ns) {
    if (all->count == 0) abort();
    qsort(all->values, all->count, sizeof *all->values, latencies_compare);
    printf(
        "{\"commands_per_second\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f}\n",
        (double)all->count * 1e9 / (double)elapsed_ns,
        (double)all->values[all->count / 2] / 1e3,
        (double)all->values[all->count * 99 / 100] / 1e3);
}
