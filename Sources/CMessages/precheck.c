#include "precheck.h"

#include <stdbool.h>
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_LENGTH = 2, WIRE_FIXED32 = 5 };

/* The bytes that are left of a message, a submessage or a packed field. */
typedef struct view {
  const uint8_t *at;
  const uint8_t *end;
} view;

static size_t left(view bytes) { return (size_t)(bytes.end - bytes.at); }

static message_fault skip(view *bytes, size_t count) {
  if (count > left(*bytes)) return MESSAGE_FAULT_TRUNCATED;
  bytes->at += count;
  return MESSAGE_FAULT_NONE;
}

/* Reads a varint of several bytes. */
static message_fault read_long_varint(view *bytes, unsigned bytes_max, uint64_t *value) {
  uint64_t result = 0;
  for (unsigned index = 0; index < bytes_max; index++) {
    if (bytes->at == bytes->end) return MESSAGE_FAULT_TRUNCATED;
    uint8_t byte = *bytes->at++;
    if (index == 9 && byte > 1) return MESSAGE_FAULT_MALFORMED;
    result |= (uint64_t)(byte & 0x7f) << (7 * index);
    if (byte < 0x80) {
      *value = result;
      return MESSAGE_FAULT_NONE;
    }
  }
  return MESSAGE_FAULT_MALFORMED;
}

/* Reads a varint of at most bytes_max bytes; a 64-bit one takes 10. Most take one. */
static inline message_fault read_varint(view *bytes, unsigned bytes_max, uint64_t *value) {
  if (bytes->at < bytes->end && *bytes->at < 0x80) {
    *value = *bytes->at++;
    return MESSAGE_FAULT_NONE;
  }
  return read_long_varint(bytes, bytes_max, value);
}

/* Whether no byte is zero and all are ASCII. */
static bool is_plain(uint64_t word) {
  const uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
  return (((word - ones) | word) & highs) == 0;
}

static bool is_continuation(uint8_t byte) { return (byte & 0xc0) == 0x80; }

/* The length of the UTF-8 sequence at the start, 0 when there is none (Unicode, table 3-7). */
static size_t sequence_length(const uint8_t *at, size_t count) {
  uint8_t first = at[0];
  if (first >= 0x01 && first <= 0x7f) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (length > count) return 0;
  uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (at[1] < low || at[1] > high) return 0;
  if (length > 2 && !is_continuation(at[2])) return 0;
  if (length > 3 && !is_continuation(at[3])) return 0;
  return length;
}

static bool is_plain_word_at(const uint8_t *at) {
  uint64_t word;
  memcpy(&word, at, sizeof word);
  return is_plain(word);
}

/* Whether all is UTF-8 without NUL. */
static bool is_text(view bytes) {
  const size_t step = sizeof(uint64_t);
  bool has_word_before = false;
  while (bytes.at < bytes.end) {
    if (left(bytes) >= step) {
      if (is_plain_word_at(bytes.at)) {
        bytes.at += step;
        has_word_before = true;
        continue;
      }
    } else if (has_word_before && is_plain_word_at(bytes.end - step)) {
      /* The last bytes in one look, together with some that were seen already. */
      return true;
    }
    size_t length = sequence_length(bytes.at, left(bytes));
    if (length == 0) return false;
    bytes.at += length;
  }
  return true;
}

/* The wire type of values of a kind. */
static unsigned wire_type(const message_field *field) {
  switch (field->kind) {
  case MESSAGE_KIND_FIXED32: return WIRE_FIXED32;
  case MESSAGE_KIND_FIXED64: return WIRE_FIXED64;
  case MESSAGE_KIND_TEXT:
  case MESSAGE_KIND_BYTES:
  case MESSAGE_KIND_MESSAGE: return WIRE_LENGTH;
  default: return WIRE_VARINT;
  }
}

/* Checks a value without a length: protobuf-c would cut wider numbers off silently. */
static message_fault check_number(const message_field *field, view *bytes) {
  if (field->kind == MESSAGE_KIND_FIXED32) return skip(bytes, 4);
  if (field->kind == MESSAGE_KIND_FIXED64) return skip(bytes, 8);
  uint64_t value = 0;
  message_fault fault = read_varint(bytes, 10, &value);
  if (fault != MESSAGE_FAULT_NONE) return fault;
  if (field->kind == MESSAGE_KIND_UINT32 && value > UINT32_MAX) return MESSAGE_FAULT_MALFORMED;
  if (field->kind == MESSAGE_KIND_INT32 && value > UINT32_MAX && value < (uint64_t)INT32_MIN)
    return MESSAGE_FAULT_MALFORMED;
  return MESSAGE_FAULT_NONE;
}

static message_fault check_packed(const message_field *field, view bytes) {
  while (bytes.at < bytes.end) {
    message_fault fault = check_number(field, &bytes);
    if (fault != MESSAGE_FAULT_NONE) return fault;
  }
  return MESSAGE_FAULT_NONE;
}

static message_fault check_message(message_check *check, const message_shape *shape, view bytes);

static message_fault read_length(view *bytes, view *content) {
  uint64_t count = 0;
  message_fault fault = read_varint(bytes, 5, &count);
  if (fault != MESSAGE_FAULT_NONE) return fault;
  content->at = bytes->at;
  fault = skip(bytes, count);
  content->end = bytes->at;
  return fault;
}

static message_fault skip_unknown(message_check *check, unsigned wire, view *bytes) {
  if (check->unknown_fields_left == 0) return MESSAGE_FAULT_TOO_MANY_UNKNOWN_FIELDS;
  check->unknown_fields_left--;
  uint64_t value;
  view content;
  switch (wire) {
  case WIRE_VARINT: return read_varint(bytes, 10, &value);
  case WIRE_FIXED64: return skip(bytes, 8);
  case WIRE_LENGTH: return read_length(bytes, &content);
  case WIRE_FIXED32: return skip(bytes, 4);
  default: return MESSAGE_FAULT_MALFORMED;
  }
}

static message_fault check_field(message_check *check, const message_field *field, unsigned wire,
                                 view *bytes) {
  unsigned expected = wire_type(field);
  bool is_repeated = field->slot == MESSAGE_SLOT_REPEATED;
  bool is_packed = is_repeated && expected != WIRE_LENGTH && wire == WIRE_LENGTH;
  if (wire != expected && !is_packed) return MESSAGE_FAULT_WRONG_TYPE;
  if (wire != WIRE_LENGTH) return check_number(field, bytes);

  view content;
  message_fault fault = read_length(bytes, &content);
  if (fault != MESSAGE_FAULT_NONE) return fault;
  switch (field->kind) {
  case MESSAGE_KIND_TEXT: return is_text(content) ? MESSAGE_FAULT_NONE : MESSAGE_FAULT_INVALID_TEXT;
  case MESSAGE_KIND_BYTES: return MESSAGE_FAULT_NONE;
  case MESSAGE_KIND_MESSAGE: return check_message(check, field->shape, content);
  default: return check_packed(field, content);
  }
}

static const message_field *find(const message_shape *shape, uint32_t number) {
  /* Most messages number their fields from 1 without a gap. */
  if (number <= shape->field_count && shape->fields[number - 1].number == number)
    return &shape->fields[number - 1];
  for (uint32_t index = 0; index < shape->field_count; index++)
    if (shape->fields[index].number == number) return &shape->fields[index];
  return NULL;
}

/* Recursion ends at the depth that the limits allow. */
static message_fault check_message(message_check *check, const message_shape *shape, view bytes) {
  check->shape = shape;
  check->field = NULL;
  if (check->depth_left == 0) return MESSAGE_FAULT_TOO_DEEP;
  check->depth_left--;
  uint64_t seen[MESSAGE_SLOTS_MAX / 64] = {0};
  while (bytes.at < bytes.end) {
    check->shape = shape;
    check->field = NULL;
    uint64_t tag = 0;
    message_fault fault = read_varint(&bytes, 5, &tag);
    if (fault != MESSAGE_FAULT_NONE) return fault;
    if (tag < 8 || tag > UINT32_MAX) return MESSAGE_FAULT_MALFORMED;
    if (check->fields_left == 0) return MESSAGE_FAULT_TOO_MANY_FIELDS;
    check->fields_left--;

    unsigned wire = (unsigned)(tag & 7);
    const message_field *field = find(shape, (uint32_t)(tag >> 3));
    if (field == NULL) {
      fault = skip_unknown(check, wire, &bytes);
    } else {
      check->field = field;
      if (field->slot != MESSAGE_SLOT_REPEATED) {
        uint64_t bit = (uint64_t)1 << (field->slot % 64);
        if (seen[field->slot / 64] & bit) return MESSAGE_FAULT_DUPLICATE_FIELD;
        seen[field->slot / 64] |= bit;
      }
      fault = check_field(check, field, wire, &bytes);
    }
    if (fault != MESSAGE_FAULT_NONE) return fault;
  }
  check->depth_left++;
  return MESSAGE_FAULT_NONE;
}

message_fault message_precheck(message_check *check, const message_shape *shape,
                               const uint8_t *bytes, size_t count) {
  if (count == 0) return check->fault = MESSAGE_FAULT_NONE;
  view all = {bytes, bytes + count};
  return check->fault = check_message(check, shape, all);
}
