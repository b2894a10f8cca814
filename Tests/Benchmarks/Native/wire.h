// The wire protocol, as far as the load generators speak it. See Protos/README.md.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    length_byte_count = 4,
    frame_data = 3,
    frame_end = 4,
    frame_goaway = 9,
    frame_settings = 10,
    // Room for an opening or a window frame around a message.
    frame_overhead_max = 64,
};

struct frame {
    uint32_t call;
    // The field number of its kind; 0 when the bytes are no frame.
    uint32_t kind;
    const uint8_t *content;
    size_t content_count;
};

// The number before a frame.
uint32_t wire_length(const uint8_t *bytes);
void wire_put_length(uint8_t *bytes, uint32_t length);

struct frame wire_parse(const uint8_t *bytes, size_t count);

// Whether an end says success; its reply's size.
bool wire_is_success(const struct frame *end, size_t *reply_count);

// Append a frame with its length; answer how many bytes that took.
size_t wire_open(uint8_t *out, uint32_t call, uint32_t method, const uint8_t *message,
                 uint32_t message_count, uint32_t window);
size_t wire_window(uint8_t *out, uint32_t call, uint32_t bytes);

// A blocking connection from an address of loopback, `127.0.0.source`. Ends the process on failure.
int wire_connect(uint16_t port, uint8_t source);

// Exchanges preface and settings. Answers the number of a method, 0 when none is asked for.
uint32_t wire_shake_hands(int connection, const char *path);

// Says what failed and ends the process.
void fail(const char *what) __attribute__((noreturn));
