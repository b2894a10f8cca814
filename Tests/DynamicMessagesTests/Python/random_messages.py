"""Random messages of every type of a descriptor set, and their JSON as protobuf's own Python has it.

    random_messages.py make SET SEED COUNT   prints TYPE, encoded message, JSON: a line for each
    random_messages.py check SET             reads TYPE, original, encoded again, JSON from standard
                                             input and fails at the first that is not the original
"""
import base64
import random
import struct
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import FieldDescriptor as Field

DEPTH_MAX = 4
RANGES = {
    Field.TYPE_INT32: (-(2**31), 2**31 - 1),
    Field.TYPE_SINT32: (-(2**31), 2**31 - 1),
    Field.TYPE_SFIXED32: (-(2**31), 2**31 - 1),
    Field.TYPE_INT64: (-(2**63), 2**63 - 1),
    Field.TYPE_SINT64: (-(2**63), 2**63 - 1),
    Field.TYPE_SFIXED64: (-(2**63), 2**63 - 1),
    Field.TYPE_UINT32: (0, 2**32 - 1),
    Field.TYPE_FIXED32: (0, 2**32 - 1),
    Field.TYPE_UINT64: (0, 2**64 - 1),
    Field.TYPE_FIXED64: (0, 2**64 - 1),
}
TEXTS = ["", "a", "ü", "日本", "🦆", 'quote " and \\', "line\nbreak", "\u0001", "</script>", "null"]
PATHS = ["title", "parent_id", "a.b_c", "path"]


class Maker:
    def __init__(self, pool, chance):
        self.pool = pool
        self.chance = chance

    def integer(self, low, high):
        near = self.chance.choice([low, high, 0, 1, 127, 128, 2**14, 2**21 - 1, low + 1])
        value = near if self.chance.random() < 0.6 else self.chance.randint(low, high)
        return max(low, min(high, value))

    def fraction(self, is_wide):
        if self.chance.random() < 0.4:
            return self.chance.choice([0.0, -0.0, 1.0, -1.5, 1e-7, 123456789.0, 1e20,
                                       float("inf"), float("-inf"), float("nan")])
        bits = self.chance.getrandbits(64 if is_wide else 32)
        layout = ("<Q", "<d") if is_wide else ("<I", "<f")
        value = struct.unpack(layout[1], struct.pack(layout[0], bits))[0]
        return value if value == value else float("nan")  # JSON has one NaN

    def scalar(self, field):
        if field.type in RANGES:
            return self.integer(*RANGES[field.type])
        if field.type in (Field.TYPE_DOUBLE, Field.TYPE_FLOAT):
            return self.fraction(field.type == Field.TYPE_DOUBLE)
        if field.type == Field.TYPE_BOOL:
            return self.chance.random() < 0.7
        if field.type == Field.TYPE_STRING:
            return self.chance.choice(TEXTS) * self.chance.randint(1, 3)
        if field.type == Field.TYPE_BYTES:
            return self.chance.randbytes(self.chance.randint(0, 9))
        if field.enum_type.full_name == "google.protobuf.NullValue" or self.chance.random() < 0.9:
            return self.chance.choice(field.enum_type.values).number
        return self.integer(-(2**31), 2**31 - 1)

    def fill(self, message, depth=1):
        name = message.DESCRIPTOR.full_name
        special = {
            "google.protobuf.Timestamp": self.timestamp, "google.protobuf.Duration": self.duration,
            "google.protobuf.FieldMask": self.mask, "google.protobuf.Any": self.any,
            "google.protobuf.Value": self.value,
        }.get(name)
        if special:
            special(message, depth)
            return
        for choice in message.DESCRIPTOR.oneofs:
            self.set(message, self.chance.choice(choice.fields), depth)
        for field in message.DESCRIPTOR.fields:
            if field.containing_oneof is None and self.chance.random() < 0.4:
                self.set(message, field, depth)

    def set(self, message, field, depth):
        if field.message_type and depth >= DEPTH_MAX:
            return
        content = getattr(message, field.name)
        if field.message_type and field.message_type.GetOptions().map_entry:
            key, value = field.message_type.fields
            for _ in range(self.chance.randint(1, 3)):
                if value.message_type:
                    self.fill(content[self.scalar(key)], depth + 1)
                else:
                    content[self.scalar(key)] = self.scalar(value)
        elif field.is_repeated:
            for _ in range(self.chance.randint(1, 3)):
                if field.message_type:
                    self.fill(content.add(), depth + 1)
                else:
                    content.append(self.scalar(field))
        elif field.message_type:
            content.SetInParent()
            self.fill(content, depth + 1)
        else:
            setattr(message, field.name, self.scalar(field))

    def nanoseconds(self):
        return self.chance.choice([0, 1, 5 * 10**8, 1000, 123456000, 999999999])

    def timestamp(self, message, _):
        message.seconds = self.integer(-62135596800, 253402300799)
        message.nanos = self.nanoseconds()

    def duration(self, message, _):
        message.seconds = self.integer(-315576000000, 315576000000)
        message.nanos = self.nanoseconds() * (-1 if message.seconds < 0 else 1)

    def mask(self, message, _):
        message.paths.extend(self.chance.sample(PATHS, self.chance.randint(0, 3)))

    def any(self, message, depth):
        names = ["google.protobuf.Duration", "google.protobuf.Empty", "guildhall.kinds.v1.Kinds.Leaf"]
        inner = message_factory.GetMessageClass(
            self.pool.FindMessageTypeByName(self.chance.choice(names)))()
        self.fill(inner, depth + 1)
        message.Pack(inner)

    def value(self, message, depth):
        kind = self.chance.choice(["null", "number", "text", "truth", "structure", "list"])
        if depth >= DEPTH_MAX or kind == "null":
            message.null_value = 0
        elif kind == "number":
            message.number_value = self.chance.choice([0.0, 1.0, -2.5, 1e300])
        elif kind == "text":
            message.string_value = self.chance.choice(TEXTS)
        elif kind == "truth":
            message.bool_value = self.chance.random() < 0.5
        elif kind == "structure":
            message.struct_value.SetInParent()
            self.fill(message.struct_value, depth + 1)
        else:
            message.list_value.SetInParent()
            self.fill(message.list_value, depth + 1)


def load(path):
    with open(path, "rb") as file:
        files = descriptor_pb2.FileDescriptorSet.FromString(file.read()).file
    pool = descriptor_pool.DescriptorPool()
    for file in files:
        pool.Add(file)
    names = []
    for file in files:
        if not file.package.startswith("google"):
            names += nested(file.package, file.message_type)
    return pool, names


def nested(prefix, messages):
    names = []
    for message in messages:
        if not message.options.map_entry:
            names.append(f"{prefix}.{message.name}")
            names += nested(f"{prefix}.{message.name}", message.nested_type)
    return names


def encode(message):
    return base64.b64encode(message.SerializeToString(deterministic=True)).decode()


def make(path, seed, count):
    pool, names = load(path)
    chance = random.Random(seed)
    maker = Maker(pool, chance)
    for number in range(count):
        name = names[number % len(names)]
        message = message_factory.GetMessageClass(pool.FindMessageTypeByName(name))()
        maker.fill(message)
        text = json_format.MessageToJson(message, indent=None, descriptor_pool=pool)
        print(name, encode(message), text, sep="\t")


def check(path):
    pool, _ = load(path)
    count = 0
    for line in sys.stdin:
        name, original, again, text = line.rstrip("\n").split("\t")
        kind = message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
        parsed = json_format.Parse(text, kind(), descriptor_pool=pool)
        decoded = kind.FromString(base64.b64decode(again))
        for what, message in (("JSON", parsed), ("bytes", decoded)):
            if encode(message) != original:
                sys.exit(f"{name}: the {what} are another message: {text}")
        count += 1
    print(f"checked {count}")


if sys.argv[1] == "make":
    make(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
else:
    check(sys.argv[2])
