#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { settings_bytes_max = 1 << 20 };

void fail(const char *what) {
    fprintf(stderr, "%s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

uint32_t wire_length(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

void wire_put_length(uint8_t *bytes, uint32_t length) {
    for (int index = 0; index < length_byte_count; index++) bytes[index] = length >> (24 - 8 * index);
}

// MARK: Fields

struct field {
    uint32_t number;
    uint64_t value; // or the size of the bytes
    const uint8_t *bytes;
};

static bool take_varint(const uint8_t **cursor, const uint8_t *end, uint64_t *value) {
    *value = 0;
    for (int shift = 0; *cursor < end && shift < 64; shift += 7) {
        uint8_t byte = *(*cursor)++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

static bool take_field(const uint8_t **cursor, const uint8_t *end, struct field *field) {
    uint64_t tag;
    if (!take_varint(cursor, end, &tag) || !take_varint(cursor, end, &field->value)) return false;
    field->number = tag >> 3;
    field->bytes = *cursor;
    if ((tag & 7) != 2) return (tag & 7) == 0;
    if (field->value > (uint64_t)(end - *cursor)) return false;
    *cursor += field->value;
    return true;
}

static uint8_t *put_varint(uint8_t *out, uint64_t value) {
    for (; value >= 0x80; value >>= 7) *out++ = value | 0x80;
    *out++ = value;
    return out;
}

static uint8_t *put_number(uint8_t *out, uint32_t field, uint64_t value) {
    return put_varint(put_varint(out, field << 3), value);
}

static uint8_t *put_bytes(uint8_t *out, uint32_t field, const void *bytes, size_t count) {
    out = put_varint(put_varint(out, field << 3 | 2), count);
    memcpy(out, bytes, count);
    return out + count;
}

// MARK: Frames

struct frame wire_parse(const uint8_t *bytes, size_t count) {
    struct frame frame = {0};
    struct field field;
    const uint8_t *end = bytes + count;
    while (bytes < end && take_field(&bytes, end, &field)) {
        if (field.number == 1) {
            frame.call = field.value;
        } else {
            frame.kind = field.number;
            frame.content = field.bytes;
            frame.content_count = field.value;
        }
    }
    return frame;
}

bool wire_is_success(const struct frame *end, size_t *reply_count) {
    const uint8_t *cursor = end->content;
    struct field field;
    *reply_count = 0;
    while (take_field(&cursor, end->content + end->content_count, &field)) {
        if (field.number == 1 && field.value != 0) return false;
        if (field.number == 5) *reply_count = field.value;
    }
    return true;
}

size_t wire_open(uint8_t *out, uint32_t call, uint32_t method, const uint8_t *message,
                 uint32_t message_count, uint32_t window) {
    static const uint64_t timeout_us = 2000000;
    uint8_t content[frame_overhead_max + message_count];
    uint8_t *end = put_number(content, 2, method);
    if (window == 0) end = put_number(end, 3, timeout_us); // streams have no end
    end = put_bytes(end, 5, message, message_count);
    end = put_number(end, 6, true);
    if (window != 0) end = put_number(end, 7, window);
    uint8_t *body = out + length_byte_count;
    uint8_t *last = put_bytes(put_number(body, 1, call), 2, content, end - content);
    wire_put_length(out, last - body);
    return last - out;
}

size_t wire_window(uint8_t *out, uint32_t call, uint32_t bytes) {
    uint8_t content[frame_overhead_max];
    uint8_t *end = put_number(content, 1, bytes);
    uint8_t *body = out + length_byte_count;
    uint8_t *last = put_bytes(put_number(body, 1, call), 6, content, end - content);
    wire_put_length(out, last - body);
    return last - out;
}

// MARK: Connections

int wire_connect(uint16_t port, uint8_t source) {
    int connection = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    if (connection < 0) fail("socket");
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    // The port of this side is chosen when connecting, so that each address has all of them.
    setsockopt(connection, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &yes, sizeof yes);
    struct sockaddr_in here = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + source)};
    struct sockaddr_in there = {.sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(connection, (void *)&here, sizeof here) != 0) fail("bind");
    if (connect(connection, (void *)&there, sizeof there) != 0) fail("connect");
    return connection;
}

static void read_whole(int connection, uint8_t *bytes, size_t count) {
    while (count > 0) {
        ssize_t got = read(connection, bytes, count);
        if (got <= 0) fail("the server closed a connection that shook hands");
        bytes += got;
        count -= got;
    }
}

static uint32_t method_number(const struct frame *settings, const char *path) {
    const uint8_t *cursor = settings->content, *end = cursor + settings->content_count;
    struct field field, part;
    while (take_field(&cursor, end, &field)) {
        if (field.number != 6) continue;
        const uint8_t *inner = field.bytes;
        uint32_t number = 0;
        while (take_field(&inner, field.bytes + field.value, &part)) {
            if (part.number == 1) number = part.value;
            if (part.number == 2 && part.value == strlen(path) &&
                memcmp(part.bytes, path, part.value) == 0)
                return number;
        }
    }
    errno = 0;
    fail("the server has no such method");
}

uint32_t wire_shake_hands(int connection, const char *path) {
    // An empty settings frame: field 10 with no bytes.
    static const uint8_t hello[] = {'G', 'H', 'R', 'P', 'C', '/', '1', '\n', 0, 0, 0, 2, 10 << 3 | 2, 0};
    if (write(connection, hello, sizeof hello) != sizeof hello) fail("write");
    uint8_t length[length_byte_count];
    read_whole(connection, length, sizeof length);
    size_t count = wire_length(length);
    if (count > settings_bytes_max) fail("the server's settings are too large");
    uint8_t *bytes = malloc(count);
    read_whole(connection, bytes, count);
    struct frame frame = wire_parse(bytes, count);
    if (frame.kind != frame_settings) fail("the server does not begin with its settings");
    uint32_t number = path ? method_number(&frame, path) : 0;
    free(bytes);
    return number;
}
