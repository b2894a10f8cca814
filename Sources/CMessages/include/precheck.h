#ifndef GUILDHALL_PRECHECK_H
#define GUILDHALL_PRECHECK_H

#include "shape.h"

#include <stddef.h>

typedef enum message_fault {
  MESSAGE_FAULT_NONE,
  MESSAGE_FAULT_TRUNCATED,
  MESSAGE_FAULT_MALFORMED,
  MESSAGE_FAULT_WRONG_TYPE,
  MESSAGE_FAULT_DUPLICATE_FIELD,
  MESSAGE_FAULT_TOO_DEEP,
  MESSAGE_FAULT_TOO_MANY_FIELDS,
  MESSAGE_FAULT_TOO_MANY_UNKNOWN_FIELDS,
  MESSAGE_FAULT_INVALID_TEXT,
} message_fault;

/* The state of a check: limits count down, the fault and its place are filled at the end. */
typedef struct message_check {
  size_t fields_left;
  size_t unknown_fields_left;
  size_t depth_left;
  message_fault fault;
  const message_shape *shape;
  /* NULL when the fault lies in no known field. */
  const message_field *field;
} message_check;

/* Checks an encoded message in one pass, in time linear in its bytes and without memory.
 *
 * What passes costs protobuf-c linear time, too, and is text where text is declared. */
message_fault message_precheck(message_check *check, const message_shape *shape,
                               const uint8_t *bytes, size_t count);

#endif
