#include <zlib.h>

// Swift calls no macros that take the size of a structure.

/// Prepares a stream that compresses into the format of RFC 1950; answers as deflateInit does.
static inline int rpc_deflate_init(z_stream *stream, int level) {
    return deflateInit(stream, level);
}

/// Prepares a stream that inflates it; answers as inflateInit does.
static inline int rpc_inflate_init(z_stream *stream) {
    return inflateInit(stream);
}
