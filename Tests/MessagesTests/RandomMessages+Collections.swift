import Messages

extension Lists: RandomlyMade {
    static func random(_ maker: inout RandomMaker, _ percent: Int) -> Lists {
        var value = Lists()
        value.setPacked(&maker, percent)
        value.texts = maker.list(percent) { $0.text() }
        value.datas = maker.list(percent) { $0.data() }
        value.leaves = maker.list(percent) { .random(&$0) }
        value.setUnpacked(&maker, percent)
        return value
    }

    private mutating func setPacked(_ maker: inout RandomMaker, _ percent: Int) {
        doubles = maker.list(percent) { $0.double() }
        floats = maker.list(percent) { $0.float() }
        int32s = maker.list(percent) { $0.integer() }
        int64s = maker.list(percent) { $0.integer() }
        uint32s = maker.list(percent) { $0.integer() }
        uint64s = maker.list(percent) { $0.integer() }
        sint32s = maker.list(percent) { $0.integer() }
        sint64s = maker.list(percent) { $0.integer() }
        fixed32s = maker.list(percent) { $0.integer() }
        fixed64s = maker.list(percent) { $0.integer() }
        sfixed32s = maker.list(percent) { $0.integer() }
        sfixed64s = maker.list(percent) { $0.integer() }
        bools = maker.list(percent) { $0.bool() }
        colors = maker.list(percent) { $0.color() }
    }

    private mutating func setUnpacked(_ maker: inout RandomMaker, _ percent: Int) {
        unpackedDoubles = maker.list(percent) { $0.double() }
        unpackedFloats = maker.list(percent) { $0.float() }
        unpackedInt32s = maker.list(percent) { $0.integer() }
        unpackedInt64s = maker.list(percent) { $0.integer() }
        unpackedUint32s = maker.list(percent) { $0.integer() }
        unpackedUint64s = maker.list(percent) { $0.integer() }
        unpackedSint32s = maker.list(percent) { $0.integer() }
        unpackedSint64s = maker.list(percent) { $0.integer() }
        unpackedFixed32s = maker.list(percent) { $0.integer() }
        unpackedFixed64s = maker.list(percent) { $0.integer() }
        unpackedSfixed32s = maker.list(percent) { $0.integer() }
        unpackedSfixed64s = maker.list(percent) { $0.integer() }
        unpackedBools = maker.list(percent) { $0.bool() }
        unpackedColors = maker.list(percent) { $0.color() }
    }
}

extension Maps: RandomlyMade {
    static func random(_ maker: inout RandomMaker, _ percent: Int) -> Maps {
        var value = Maps()
        value.doubleByInt32 = maker.map(percent, { $0.integer() }, { $0.double() })
        value.floatByInt64 = maker.map(percent, { $0.integer() }, { $0.float() })
        value.int32ByUint32 = maker.map(percent, { $0.integer() }, { $0.integer() })
        value.int64ByUint64 = maker.map(percent, { $0.integer() }, { $0.integer() })
        value.uint32BySint32 = maker.map(percent, { $0.integer() }, { $0.integer() })
        value.uint64BySint64 = maker.map(percent, { $0.integer() }, { $0.integer() })
        value.sint32ByFixed32 = maker.map(percent, { $0.integer() }, { $0.integer() })
        value.sint64ByFixed64 = maker.map(percent, { $0.integer() }, { $0.integer() })
        value.fixed32BySfixed32 = maker.map(percent, { $0.integer() }, { $0.integer() })
        value.fixed64BySfixed64 = maker.map(percent, { $0.integer() }, { $0.integer() })
        value.sfixed32ByBool = maker.map(percent, { $0.bool() }, { $0.integer() })
        value.sfixed64ByText = maker.map(percent, { $0.key() }, { $0.integer() })
        value.boolByBool = maker.map(percent, { $0.bool() }, { $0.bool() })
        value.textByText = maker.map(percent, { $0.key() }, { $0.text() })
        value.dataByBool = maker.map(percent, { $0.bool() }, { $0.data() })
        value.colorByInt32 = maker.map(percent, { $0.integer() }, { $0.color() })
        value.leafByBool = maker.map(percent, { $0.bool() }, { .random(&$0) })
        value.wrapperByUint32 = maker.map(
            percent, { $0.integer() }, { Int64Value(value: $0.integer()) })
        value.anyByText = maker.map(percent, { $0.key() }, { .random(&$0) })
        return value
    }
}

extension WellKnown: RandomlyMade {
    static func random(_ maker: inout RandomMaker, _ percent: Int) -> WellKnown {
        WellKnown(
            timestamp: maker.maybe(percent) { .random(&$0) },
            duration: maker.maybe(percent) { .random(&$0) },
            mask: maker.maybe(percent) { .random(&$0) },
            any: maker.maybe(percent) { .random(&$0) },
            empty: maker.maybe(percent) { _ in Empty() },
            double: maker.maybe(percent) { DoubleValue(value: $0.double()) },
            float: maker.maybe(percent) { FloatValue(value: $0.float()) },
            int64: maker.maybe(percent) { Int64Value(value: $0.integer()) },
            uint64: maker.maybe(percent) { UInt64Value(value: $0.integer()) },
            int32: maker.maybe(percent) { Int32Value(value: $0.integer()) },
            uint32: maker.maybe(percent) { UInt32Value(value: $0.integer()) },
            bool: maker.maybe(percent) { BoolValue(value: $0.bool()) },
            text: maker.maybe(percent) { StringValue(value: $0.text()) },
            data: maker.maybe(percent) { BytesValue(value: $0.data()) },
            timestamps: maker.list(percent) { .random(&$0) },
            anys: maker.list(percent) { .random(&$0) },
            empties: maker.list(percent) { _ in Empty() },
            texts: maker.list(percent) { StringValue(value: $0.text()) })
    }
}

extension Timestamp {
    static func random(_ maker: inout RandomMaker) -> Timestamp {
        Timestamp(seconds: maker.integer(), nanos: maker.integer())
    }
}

extension ProtobufDuration {
    static func random(_ maker: inout RandomMaker) -> ProtobufDuration {
        ProtobufDuration(seconds: maker.integer(), nanos: maker.integer())
    }
}

extension FieldMask {
    static func random(_ maker: inout RandomMaker) -> FieldMask {
        FieldMask(paths: maker.list(80) { $0.text() })
    }
}

extension ProtobufAny {
    static func random(_ maker: inout RandomMaker) -> ProtobufAny {
        maker.chance(50)
            ? ProtobufAny(packing: Leaf.random(&maker))
            : ProtobufAny(typeURL: maker.text(), value: maker.data())
    }
}
