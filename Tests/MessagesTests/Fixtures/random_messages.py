#!/usr/bin/env python3
"""Random messages of every field type, made and compared with Python's protobuf.

RandomRoundTripTests runs it:

    random_messages.py make --seed 1 --count 1000 --output ours
    random_messages.py compare --original ours --answer theirs
    random_messages.py reencode --input theirs --output ours

A file is a sequence of records: the position of the type in TYPES (a byte), the number of bytes
(4, big-endian), the encoded message.
"""

import argparse
import collections
import math
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import unicodedata

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

TYPES = ["Everything", "Presences", "Lists", "Maps", "WellKnown"]
PACKAGE = "guildhall.testing.v1."

SIGNED_32 = [0, 1, -1, 127, 128, 2**31 - 1, -(2**31)]
SIGNED_64 = SIGNED_32 + [2**31, -(2**31) - 1, 2**63 - 1, -(2**63)]
UNSIGNED_32 = [0, 1, 127, 128, 2**31, 2**32 - 1]
UNSIGNED_64 = UNSIGNED_32 + [2**32, 2**63, 2**64 - 1]
DOUBLES = [
    0.0, -0.0, 1.0, -1.5, 5e-324, -5e-324, 2.2250738585072014e-308, sys.float_info.max,
    -sys.float_info.max, math.inf, -math.inf, math.nan, 0.1,
]
FLOATS = [0.0, -0.0, 1.0, -1.5, 2.0**-149, 2.0**-126, (2 - 2.0**-23) * 2.0**127, math.inf,
          -math.inf, math.nan]
TEXTS = [
    "", "a", "Grüße", "学校", "🏫", "👩🏽‍🏫", "e\u0301", "\u00e9", "\x01\x7f", "\r\n", "\u0800",
    "\uffff", "\ufeff", "\U00010000", "\U0010ffff", "\ud7ff\ue000", "a" * 127, "b" * 128, "ß" * 9000,
]
DATAS = [b"", b"\x00", b"\xff" * 3, bytes(range(256)), b"\x80" * 20_000]


def message_types():
    """The types of TYPES, from the .proto files beside this one."""
    here = pathlib.Path(__file__).resolve().parent.parent
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run(
            [
                "protoc", f"-I{here / 'Protos'}", "--include_imports",
                f"--descriptor_set_out={file.name}", "guildhall/testing/v1/fields.proto",
            ],
            check=True,
        )
        files = descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(file.name).read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return [
        message_factory.GetMessageClass(pool.FindMessageTypeByName(PACKAGE + name))
        for name in TYPES
    ]


def is_map(field):
    kind = field.message_type
    return kind is not None and kind.GetOptions().map_entry


class Maker:
    """Makes random values; often those at the ends of their ranges."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def number(self, extremes, low, bits):
        choice = self.random.random()
        if choice < 0.3:
            return self.random.choice(extremes)
        size = self.random.randrange(1, bits + 1)
        value = self.random.getrandbits(size)
        return max(low, -value) if low < 0 and choice < 0.6 else value

    def text(self):
        choice = self.random.random()
        if choice < 0.01:
            return self.random.choice(TEXTS)
        if choice < 0.3:
            return self.random.choice(TEXTS[:-1])
        # No NUL, which is refused, and no surrogates, which are no text.
        codes = [self.code_point() for _ in range(self.random.randrange(12))]
        return "".join(map(chr, codes))

    def code_point(self):
        top = self.random.choice([0x7F, 0x7FF, 0xFFFF, 0x10FFFF])
        code = self.random.randrange(1, top + 1)
        return code if not 0xD800 <= code < 0xE000 else 0x41

    def data(self):
        choice = self.random.random()
        if choice < 0.01:
            return self.random.choice(DATAS)
        if choice < 0.2:
            return self.random.choice(DATAS[:-1])
        return self.random.randbytes(self.random.randrange(16))

    def scalar(self, field):
        kind = field.type
        if kind in (field.TYPE_INT32, field.TYPE_SINT32, field.TYPE_SFIXED32):
            return self.number(SIGNED_32, -(2**31), 31)
        if kind in (field.TYPE_INT64, field.TYPE_SINT64, field.TYPE_SFIXED64):
            return self.number(SIGNED_64, -(2**63), 63)
        if kind in (field.TYPE_UINT32, field.TYPE_FIXED32):
            return self.number(UNSIGNED_32, 0, 32)
        if kind in (field.TYPE_UINT64, field.TYPE_FIXED64):
            return self.number(UNSIGNED_64, 0, 64)
        if kind == field.TYPE_BOOL:
            return self.random.random() < 0.5
        if kind == field.TYPE_STRING:
            return self.text()
        if kind == field.TYPE_BYTES:
            return self.data()
        if kind == field.TYPE_ENUM:
            if self.random.random() < 0.7:
                return self.random.choice(field.enum_type.values).number
            return self.number(SIGNED_32, -(2**31), 31)
        return self.floating(field)

    def floating(self, field):
        is_float = field.type == field.TYPE_FLOAT
        if self.random.random() < 0.5:
            return self.random.choice(FLOATS if is_float else DOUBLES)
        if is_float:
            value = struct.unpack("<f", self.random.randbytes(4))[0]
        else:
            value = struct.unpack("<d", self.random.randbytes(8))[0]
        return math.nan if math.isnan(value) else value

    def fill(self, message, density):
        """Sets each field with a probability."""
        for field in message.DESCRIPTOR.fields:
            if self.random.random() < density:
                self.set(message, field, density)

    def set(self, message, field, density):
        if is_map(field):
            self.set_map(message, field, density)
        elif field.is_repeated:
            values = getattr(message, field.name)
            for _ in range(self.random.choice([1, 1, 2, 3, 8])):
                if field.message_type is not None:
                    self.fill(values.add(), 0.5)
                else:
                    values.append(self.scalar(field))
        elif field.message_type is not None:
            child = getattr(message, field.name)
            child.SetInParent()
            self.fill(child, 0.5)
        else:
            setattr(message, field.name, self.scalar(field))

    def set_map(self, message, field, density):
        values = getattr(message, field.name)
        key_field = field.message_type.fields_by_name["key"]
        value_field = field.message_type.fields_by_name["value"]
        for _ in range(self.random.choice([1, 2, 3])):
            key = self.scalar(key_field)
            if isinstance(key, str):
                # Swift holds texts that differ only in how they are composed for one key.
                key = unicodedata.normalize("NFC", key)
            if value_field.message_type is not None:
                self.fill(values[key], 0.5)
            else:
                values[key] = self.scalar(value_field)


def records(path):
    """The records of a file."""
    content = memoryview(pathlib.Path(path).read_bytes())
    at = 0
    while at < len(content):
        kind, size = struct.unpack_from(">BI", content, at)
        at += 5
        yield kind, bytes(content[at : at + size])
        at += size


def write(file, kind, content):
    file.write(struct.pack(">BI", kind, len(content)))
    file.write(content)


def make(arguments):
    types = message_types()
    maker = Maker(arguments.seed)
    with open(arguments.output, "wb") as file:
        for _ in range(arguments.count):
            kind = maker.random.randrange(len(types))
            message = types[kind]()
            maker.fill(message, maker.random.choice([0.02, 0.1, 0.1, 0.3]))
            write(file, kind, message.SerializeToString())


def compare(arguments):
    """Fails unless both files hold equal messages; equal are those that encode to equal bytes."""
    types = message_types()
    count = 0
    for (kind, original), (answered, answer) in zip(
        records(arguments.original), records(arguments.answer), strict=True
    ):
        expected = types[kind].FromString(original)
        got = types[answered].FromString(answer)
        # What the type does not declare must not stand for what it does.
        got.DiscardUnknownFields()
        if kind != answered or canonical(expected) != canonical(got):
            sys.exit(f"message {count} differs:\n{original.hex()}\n{expected}\ncame back as\n"
                     f"{answer.hex()}\n{got}")
        count += 1
    print(f"compared {count}")


def canonical(message):
    return message.SerializeToString(deterministic=True)


def reencode(arguments):
    """Decodes each message and encodes it again; fails when a field never occurred."""
    types = message_types()
    seen = collections.Counter()
    count = 0
    with open(arguments.output, "wb") as file:
        for kind, content in records(arguments.input):
            message = types[kind].FromString(content)
            message.DiscardUnknownFields()
            seen.update(field.full_name for field, _ in message.ListFields())
            write(file, kind, message.SerializeToString())
            count += 1
    missing = [
        field.full_name
        for kind in types
        for field in kind.DESCRIPTOR.fields
        if seen[field.full_name] == 0
    ]
    if missing:
        sys.exit(f"never made: {', '.join(missing)}")
    print(f"encoded {count}")


parser = argparse.ArgumentParser()
commands = parser.add_subparsers(required=True)
command = commands.add_parser("make")
command.add_argument("--seed", type=int, required=True)
command.add_argument("--count", type=int, required=True)
command.add_argument("--output", required=True)
command.set_defaults(run=make)
command = commands.add_parser("compare")
command.add_argument("--original", required=True)
command.add_argument("--answer", required=True)
command.set_defaults(run=compare)
command = commands.add_parser("reencode")
command.add_argument("--input", required=True)
command.add_argument("--output", required=True)
command.set_defaults(run=reencode)
arguments = parser.parse_args()
arguments.run(arguments)
