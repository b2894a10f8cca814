#!/usr/bin/env python3
"""Makes the .bin files beside it with Python's protobuf, for the parity tests.

Needs protoc and the protobuf package; from the project's root:

    python3 -m venv /tmp/fixtures && /tmp/fixtures/bin/pip install protobuf==4.21.12
    /tmp/fixtures/bin/python Tests/MessagesTests/Fixtures/make.py
"""

import pathlib
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
root = here.parents[2]
tests = here.parent / "Protos"

with tempfile.TemporaryDirectory() as folder:
    subprocess.run(
        [
            "protoc", f"-I{tests}", f"-I{root / 'Protos'}", f"--python_out={folder}",
            "guildhall/testing/v1/everything.proto", "guildhall/rpc/v1/frame.proto",
        ],
        check=True,
    )
    sys.path.insert(0, folder)
    from guildhall.rpc.v1 import frame_pb2
    from guildhall.testing.v1 import everything_pb2 as testing


def write(name, message):
    (here / f"{name}.bin").write_bytes(message.SerializeToString(deterministic=True))


def full():
    e = testing.Everything(
        int32=-1, int64=-2, uint32=3, uint64=4, sint32=-5, sint64=-6, fixed32=7, fixed64=8,
        sfixed32=-9, sfixed64=-10, float=1.5, double=-2.25, bool=True, text="Grüße 🏫",
        data=b"\x00\xff", color=testing.COLOR_DEEP_BLUE,
        leaf=testing.Leaf(name="leaf", weight=-7),
        optional_int32=0, optional_uint64=0, optional_double=0, optional_bool=False,
        optional_text="", optional_data=b"", optional_color=testing.COLOR_UNSPECIFIED,
        optional_leaf=testing.Leaf(),
        int32s=[0, 1, -1, 2147483647, -2147483648], sint64s=[0, -1, 1], fixed32s=[1, 4294967295],
        doubles=[0.5, -0.5], bools=[True, False, True], texts=["", "a", "ß"],
        datas=[b"", b"\x00"], colors=[testing.COLOR_RED, testing.COLOR_NEGATIVE, 42],
        leaves=[testing.Leaf(name="first"), testing.Leaf(), testing.Leaf(weight=1)],
        unpacked=[1, 2, 300],
        texts_by_text={"a": "1"}, leaves_by_number={-1: testing.Leaf(name="minus")},
        colors_by_number={18446744073709551615: testing.COLOR_HIGH},
        datas_by_text={"k": b"v"}, doubles_by_number={-3: 0.25},
        chosen_inner=testing.Everything.Nested.Inner(text="chosen"),
        operator="+", self=5, init=6, message="m", lowered="l", arena="a", bound=7, value=8,
        default="d",
        nested=testing.Everything.Nested(
            inners=[testing.Everything.Nested.Inner(text="in")],
            mood=testing.Everything.Nested.MOOD_DEFAULT,
        ),
    )
    e.timestamp.seconds, e.timestamp.nanos = -62135596800, 999999999
    e.duration.seconds, e.duration.nanos = -1, -500000000
    e.mask.paths.extend(["title", "organization.id"])
    return e


def extremes():
    return testing.Everything(
        int32=-2147483648, int64=-9223372036854775808, uint32=4294967295,
        uint64=18446744073709551615, sint32=-2147483648, sint64=-9223372036854775808,
        fixed32=4294967295, fixed64=18446744073709551615, sfixed32=-2147483648,
        sfixed64=-9223372036854775808, float=float("inf"), double=5e-324,
        color=testing.COLOR_NEGATIVE, chosen_bool=False, self=2147483647,
    )


def maps():
    return testing.Everything(
        texts_by_text={"b": "2", "a": "1", "": "empty"},
        leaves_by_number={-1: testing.Leaf(name="minus"), 2: testing.Leaf()},
        colors_by_number={7: testing.COLOR_RED, 18446744073709551615: testing.COLOR_HIGH},
        datas_by_text={"k": b"v", "l": b""}, doubles_by_number={-3: 0.25, 3: 0},
    )


def frame():
    return frame_pb2.Frame(
        call=7,
        open=frame_pb2.Open(
            path="guildhall.organizations.v1.Organizations/GetOrganization", timeout_us=2000000,
            metadata=[
                frame_pb2.MetadataEntry(key="request-id", text="r1"),
                frame_pb2.MetadataEntry(key="guildhall-principal-bin", binary=b"\x01\x02"),
            ],
            message=b"", end_of_stream=True,
        ),
    )


write("full", full())
write("extremes", extremes())
write("maps", maps())
write("frame", frame())
