// Loads a server that speaks length-prefixed frames, closed loop, from one thread.
//
//   load echo|guildhall PORT PID CONNECTIONS IN-FLIGHT SECONDS REPLY-BYTES REQUEST-FILE [METHOD]
//   load stream         PORT PID 1           1         SECONDS REPLY-BYTES REQUEST-FILE METHOD
//
// echo answers in order; guildhall answers by call number. PID is the server's, for its processor
// time. Prints a line of JSON: what happened in SECONDS after a second of warm-up.
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum {
    connections_max = 64,
    in_flight_max = 64,
    // Calls in flight lie closer together than this, so that a number finds its place.
    places = 1024,
    in_bytes_max = 1 << 20,
    out_bytes_max = 64 << 10,
    request_bytes_max = 512,
    stream_window = 16 << 20,
    warm_up_ns = 1000000000,
    // Latencies are told apart to 1/128.
    histogram_bits = 7,
    histogram_size = 64 << histogram_bits,
};

enum protocol { echo, guildhall, stream };

struct connection {
    int socket;
    uint32_t method;
    uint32_t sent;     // requests so far; a call's number is twice that, less one
    uint32_t answered; // replies so far
    uint32_t consumed; // bytes of a stream since credit was given
    size_t in_count, out_count;
    uint8_t *in;
    uint8_t out[out_bytes_max];
    uint64_t started[places];
};

static enum protocol protocol;
static size_t reply_bytes;
static uint8_t request[request_bytes_max];
static uint32_t request_bytes;
static struct connection connections[connections_max];
static uint64_t calls, bytes_in, histogram[histogram_size];

static uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static void record(uint64_t ns) {
    int shift = 63 - histogram_bits - __builtin_clzll(ns | 1 << histogram_bits);
    histogram[((uint64_t)shift << histogram_bits) + (ns >> shift)]++;
    calls++;
}

static double percentile_us(double fraction) {
    uint64_t left = fraction * calls;
    for (size_t place = 0; place < histogram_size; place++) {
        if (histogram[place] > left) {
            uint64_t shift = place >> histogram_bits ? (place >> histogram_bits) - 1 : 0;
            return ((place - (shift << histogram_bits)) << shift) / 1000.0;
        }
        left -= histogram[place];
    }
    return 0;
}

// User and system time of a process in microseconds.
static double processor_us(const char *pid) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(text, sizeof text, file)) fail(path);
    fclose(file);
    unsigned long user, system;
    const char *rest = strrchr(text, ')');
    if (!rest || sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                        &system) != 2)
        fail(path);
    return (user + system) * 1e6 / sysconf(_SC_CLK_TCK);
}

static void flush(struct connection *connection) {
    for (size_t done = 0; done < connection->out_count;) {
        ssize_t count =
            write(connection->socket, connection->out + done, connection->out_count - done);
        if (count > 0) {
            done += count;
        } else if (errno == EAGAIN) {
            struct pollfd wait = {.fd = connection->socket, .events = POLLOUT};
            poll(&wait, 1, -1);
        } else {
            fail("write");
        }
    }
    connection->out_count = 0;
}

static void send_request(struct connection *connection, uint64_t now) {
    if (connection->out_count + request_bytes + frame_overhead_max > out_bytes_max)
        flush(connection);
    uint8_t *out = connection->out + connection->out_count;
    connection->started[connection->sent++ % places] = now;
    if (protocol == echo) {
        wire_put_length(out, request_bytes);
        memcpy(out + length_byte_count, request, request_bytes);
        connection->out_count += length_byte_count + request_bytes;
    } else {
        connection->out_count +=
            wire_open(out, 2 * connection->sent - 1, connection->method, request, request_bytes,
                      protocol == stream ? stream_window : 0);
    }
}

static void answered(struct connection *connection, uint32_t request_number, uint64_t now) {
    record(now - connection->started[request_number % places]);
    connection->answered++;
    send_request(connection, now);
}

static void consume(struct connection *connection, const struct frame *frame, size_t count) {
    calls++;
    connection->consumed += count;
    if (connection->consumed < stream_window / 2) return;
    connection->out_count += wire_window(connection->out + connection->out_count, frame->call,
                                         connection->consumed);
    connection->consumed = 0;
}

static void handle(struct connection *connection, const uint8_t *bytes, size_t count,
                   uint64_t now) {
    if (protocol == echo) {
        if (count != reply_bytes) fail("a reply has another size than asked for");
        answered(connection, connection->answered, now);
        return;
    }
    struct frame frame = wire_parse(bytes, count);
    if (protocol == stream && frame.kind == frame_data && frame.content_count > reply_bytes) {
        consume(connection, &frame, count);
        return;
    }
    size_t reply_count;
    errno = 0;
    if (frame.kind != frame_end || protocol == stream) fail("the server sent another frame");
    if (!wire_is_success(&frame, &reply_count)) fail("a call failed");
    if (reply_count != reply_bytes) fail("a reply has another size than asked for");
    answered(connection, frame.call / 2, now);
}

static void take(struct connection *connection) {
    ssize_t count = read(connection->socket, connection->in + connection->in_count,
                         in_bytes_max - connection->in_count);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) fail("the server closed a connection");
    uint64_t now = now_ns();
    bytes_in += count;
    connection->in_count += count;
    const uint8_t *cursor = connection->in, *end = cursor + connection->in_count;
    while (end - cursor >= length_byte_count) {
        size_t length = wire_length(cursor);
        if ((size_t)(end - cursor) < length_byte_count + length) break;
        handle(connection, cursor + length_byte_count, length, now);
        cursor += length_byte_count + length;
    }
    connection->in_count = end - cursor;
    memmove(connection->in, cursor, connection->in_count);
    flush(connection);
}

static void run_until(int poller, uint64_t end) {
    struct epoll_event events[connections_max];
    while (now_ns() < end) {
        int count = epoll_wait(poller, events, connections_max, 100);
        for (int index = 0; index < count; index++) take(events[index].data.ptr);
    }
}

static void read_request(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) fail(path);
    request_bytes = fread(request, 1, sizeof request, file);
    fclose(file);
}

static enum protocol protocol_named(const char *name) {
    if (strcmp(name, "echo") == 0) return echo;
    if (strcmp(name, "guildhall") == 0) return guildhall;
    if (strcmp(name, "stream") == 0) return stream;
    fail("no such protocol");
}

static void begin(struct connection *connection, int poller, uint16_t port, const char *method) {
    connection->in = malloc(in_bytes_max);
    connection->socket = wire_connect(port, 1);
    if (protocol != echo) connection->method = wire_shake_hands(connection->socket, method);
    fcntl(connection->socket, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, connection->socket, &event) != 0) fail("epoll_ctl");
}

int main(int count, char **arguments) {
    if (count < 9) fail("usage: see the top of load.c");
    protocol = protocol_named(arguments[1]);
    const char *pid = arguments[3];
    int connection_count = atoi(arguments[4]), in_flight = atoi(arguments[5]);
    double seconds = atof(arguments[6]);
    reply_bytes = atoi(arguments[7]);
    read_request(arguments[8]);
    if (connection_count > connections_max || in_flight > in_flight_max) fail("too many");
    int poller = epoll_create1(0);
    for (int index = 0; index < connection_count; index++)
        begin(&connections[index], poller, atoi(arguments[2]), count > 9 ? arguments[9] : NULL);
    for (int index = 0; index < connection_count; index++) {
        for (int call = 0; call < in_flight; call++) send_request(&connections[index], now_ns());
        flush(&connections[index]);
    }

    run_until(poller, now_ns() + warm_up_ns);
    calls = bytes_in = 0;
    memset(histogram, 0, sizeof histogram);
    double cpu_before = processor_us(pid);
    uint64_t started = now_ns();
    run_until(poller, started + (uint64_t)(seconds * 1e9));
    double elapsed = (now_ns() - started) / 1e9;
    double cpu = processor_us(pid) - cpu_before;

    printf("{\"calls_per_second\": %.1f, \"server_cpu_us\": %.4f, \"bytes_per_second\": %.0f",
           calls / elapsed, cpu / calls, bytes_in / elapsed);
    if (protocol != stream)
        printf(", \"p50_us\": %.2f, \"p99_us\": %.2f", percentile_us(0.5), percentile_us(0.99));
    printf("}\n");
}
