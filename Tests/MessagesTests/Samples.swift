import Messages

// The values that Fixtures/make.py writes with Python.

extension Everything {
    static var full: Everything {
        var value = Everything(
            int32: -1, int64: -2, uint32: 3, uint64: 4, sint32: -5, sint64: -6, fixed32: 7,
            fixed64: 8, sfixed32: -9, sfixed64: -10, float: 1.5, double: -2.25, bool: true,
            text: "Grüße 🏫", data: [0, 0xff], color: .deepBlue,
            leaf: Leaf(name: "leaf", weight: -7))
        value.optionalInt32 = 0
        value.optionalUint64 = 0
        value.optionalDouble = 0
        value.optionalBool = false
        value.optionalText = ""
        value.optionalData = []
        value.optionalColor = .unspecified
        value.optionalLeaf = Leaf()
        value.int32s = [0, 1, -1, .max, .min]
        value.sint64s = [0, -1, 1]
        value.fixed32s = [1, .max]
        value.doubles = [0.5, -0.5]
        value.bools = [true, false, true]
        value.texts = ["", "a", "ß"]
        value.datas = [[], [0]]
        value.colors = [.red, .negative, .init(rawValue: 42)]
        value.leaves = [Leaf(name: "first"), Leaf(), Leaf(weight: 1)]
        value.unpacked = [1, 2, 300]
        value.textsByText = ["a": "1"]
        value.leavesByNumber = [-1: Leaf(name: "minus")]
        value.colorsByNumber = [.max: .high]
        value.datasByText = ["k": Array("v".utf8)]
        value.doublesByNumber = [-3: 0.25]
        value.choice = .chosenInner(.init(text: "chosen"))
        value.operator = "+"
        value.self_ = 5
        value.init_ = 6
        value.message = "m"
        value.lowered = "l"
        value.arena = "a"
        value.bound = 7
        value.value = 8
        value.default = "d"
        value.nested = Nested(inners: [.init(text: "in")], mood: .default)
        value.timestamp = Timestamp(seconds: -62_135_596_800, nanos: 999_999_999)
        value.duration = ProtobufDuration(seconds: -1, nanos: -500_000_000)
        value.mask = FieldMask(paths: ["title", "organization.id"])
        return value
    }

    static var maps: Everything {
        Everything(
            textsByText: ["b": "2", "a": "1", "": "empty"],
            leavesByNumber: [-1: Leaf(name: "minus"), 2: Leaf()],
            colorsByNumber: [7: .red, .max: .high],
            datasByText: ["k": Array("v".utf8), "l": []],
            doublesByNumber: [-3: 0.25, 3: 0])
    }

    static var extremes: Everything {
        var value = Everything(
            int32: .min, int64: .min, uint32: .max, uint64: .max, sint32: .min, sint64: .min,
            fixed32: .max, fixed64: .max, sfixed32: .min, sfixed64: .min, float: .infinity,
            double: .leastNonzeroMagnitude, color: .negative)
        value.choice = .chosenBool(false)
        value.self_ = .max
        return value
    }
}

extension Frame {
    static var opening: Frame {
        Frame(
            call: 7,
            kind: .open(
                Open(
                    path: "guildhall.organizations.v1.Organizations/GetOrganization",
                    timeoutUs: 2_000_000,
                    metadata: [
                        MetadataEntry(key: "request-id", text: "r1"),
                        MetadataEntry(key: "guildhall-principal-bin", binary: [1, 2]),
                    ],
                    message: [], endOfStream: true)))
    }
}
