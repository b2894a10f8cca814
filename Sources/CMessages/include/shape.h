#ifndef GUILDHALL_SHAPE_H
#define GUILDHALL_SHAPE_H

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

/* What the pre-check looks at in a value. */
enum {
  /* 64 bits, or bool. */
  MESSAGE_KIND_VARINT,
  /* int32 and enums: 32 bits, negative ones extended to 64. */
  MESSAGE_KIND_INT32,
  /* uint32 and sint32. */
  MESSAGE_KIND_UINT32,
  MESSAGE_KIND_FIXED32,
  MESSAGE_KIND_FIXED64,
  /* UTF-8 without NUL. */
  MESSAGE_KIND_TEXT,
  MESSAGE_KIND_BYTES,
  MESSAGE_KIND_MESSAGE,
};

/* The slot of fields that may occur any number of times. */
#define MESSAGE_SLOT_REPEATED 255
/* Slots are smaller than this. */
#define MESSAGE_SLOTS_MAX 128

typedef struct message_shape message_shape;

typedef struct message_field {
  uint32_t number;
  uint8_t kind;
  /* A field that may occur once has a bit; the members of a oneof share theirs. */
  uint8_t slot;
  const char *name;
  /* Of a submessage. */
  const message_shape *shape;
} message_field;

/* A type of message. */
struct message_shape {
  const char *name;
  const ProtobufCMessageDescriptor *descriptor;
  /* By rising number. */
  const message_field *fields;
  uint32_t field_count;
};

#endif
