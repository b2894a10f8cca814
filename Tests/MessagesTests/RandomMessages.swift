import Messages
import RPC

/// A message whose fields a seed decides on.
protocol RandomlyMade: Message {
    /// A message in which each field is there with a probability, in percent.
    static func random(_ maker: inout RandomMaker, _ percent: Int) -> Self
}

extension Leaf {
    static func random(_ maker: inout RandomMaker) -> Leaf {
        Leaf(name: maker.text(), weight: maker.integer())
    }
}

extension Everything.Nested.Inner {
    static func random(_ maker: inout RandomMaker) -> Self {
        Self(text: maker.text())
    }
}

extension Everything: RandomlyMade {
    static func random(_ maker: inout RandomMaker, _ percent: Int) -> Everything {
        var value = Everything()
        value.setNumbers(&maker, percent)
        value.setOptionals(&maker, percent)
        value.setCollections(&maker, percent)
        value.choice = maker.maybe(percent) { Choice.random(&$0) }
        value.timestamp = maker.maybe(percent) { Timestamp.random(&$0) }
        value.duration = maker.maybe(percent) { ProtobufDuration.random(&$0) }
        value.mask = maker.maybe(percent) { FieldMask.random(&$0) }
        value.nested = maker.maybe(percent) { maker in
            Nested(inners: maker.list(50) { .random(&$0) }, mood: .init(rawValue: maker.integer()))
        }
        value.default = maker.maybe(percent) { $0.text() } ?? ""
        value.operator = maker.maybe(percent) { $0.text() } ?? ""
        value.self_ = maker.maybe(percent) { $0.integer() } ?? 0
        value.init_ = maker.maybe(percent) { $0.integer() } ?? 0
        value.message = maker.maybe(percent) { $0.text() } ?? ""
        value.lowered = maker.maybe(percent) { $0.text() } ?? ""
        value.arena = maker.maybe(percent) { $0.text() } ?? ""
        value.bound = maker.maybe(percent) { $0.integer() } ?? 0
        value.value = maker.maybe(percent) { $0.integer() } ?? 0
        return value
    }

    private mutating func setNumbers(_ maker: inout RandomMaker, _ percent: Int) {
        int32 = maker.maybe(percent) { $0.integer() } ?? 0
        int64 = maker.maybe(percent) { $0.integer() } ?? 0
        uint32 = maker.maybe(percent) { $0.integer() } ?? 0
        uint64 = maker.maybe(percent) { $0.integer() } ?? 0
        sint32 = maker.maybe(percent) { $0.integer() } ?? 0
        sint64 = maker.maybe(percent) { $0.integer() } ?? 0
        fixed32 = maker.maybe(percent) { $0.integer() } ?? 0
        fixed64 = maker.maybe(percent) { $0.integer() } ?? 0
        sfixed32 = maker.maybe(percent) { $0.integer() } ?? 0
        sfixed64 = maker.maybe(percent) { $0.integer() } ?? 0
        float = maker.maybe(percent) { $0.float() } ?? 0
        double = maker.maybe(percent) { $0.double() } ?? 0
        bool = maker.maybe(percent) { $0.bool() } ?? false
        text = maker.maybe(percent) { $0.text() } ?? ""
        data = maker.maybe(percent) { $0.data() } ?? []
        color = maker.maybe(percent) { $0.color() } ?? .unspecified
        leaf = maker.maybe(percent) { .random(&$0) }
    }

    private mutating func setOptionals(_ maker: inout RandomMaker, _ percent: Int) {
        optionalInt32 = maker.maybe(percent) { $0.integer() }
        optionalUint64 = maker.maybe(percent) { $0.integer() }
        optionalDouble = maker.maybe(percent) { $0.double() }
        optionalBool = maker.maybe(percent) { $0.bool() }
        optionalText = maker.maybe(percent) { $0.text() }
        optionalData = maker.maybe(percent) { $0.data() }
        optionalColor = maker.maybe(percent) { $0.color() }
        optionalLeaf = maker.maybe(percent) { .random(&$0) }
    }

    private mutating func setCollections(_ maker: inout RandomMaker, _ percent: Int) {
        int32s = maker.list(percent) { $0.integer() }
        sint64s = maker.list(percent) { $0.integer() }
        fixed32s = maker.list(percent) { $0.integer() }
        doubles = maker.list(percent) { $0.double() }
        bools = maker.list(percent) { $0.bool() }
        texts = maker.list(percent) { $0.text() }
        datas = maker.list(percent) { $0.data() }
        colors = maker.list(percent) { $0.color() }
        leaves = maker.list(percent) { .random(&$0) }
        unpacked = maker.list(percent) { $0.integer() }
        textsByText = maker.map(percent, { $0.key() }, { $0.text() })
        leavesByNumber = maker.map(percent, { $0.integer() }, { .random(&$0) })
        colorsByNumber = maker.map(percent, { $0.integer() }, { $0.color() })
        datasByText = maker.map(percent, { $0.key() }, { $0.data() })
        doublesByNumber = maker.map(percent, { $0.integer() }, { $0.double() })
    }
}

extension Everything.Choice {
    static func random(_ maker: inout RandomMaker) -> Self {
        switch maker.index(below: 7) {
        case 0: .chosenNumber(maker.integer())
        case 1: .chosenBool(maker.bool())
        case 2: .chosenText(maker.text())
        case 3: .chosenData(maker.data())
        case 4: .chosenColor(maker.color())
        case 5: .chosenLeaf(.random(&maker))
        default: .chosenInner(.random(&maker))
        }
    }
}

extension Presences: RandomlyMade {
    static func random(_ maker: inout RandomMaker, _ percent: Int) -> Presences {
        Presences(
            double: maker.maybe(percent) { $0.double() },
            float: maker.maybe(percent) { $0.float() },
            int32: maker.maybe(percent) { $0.integer() },
            int64: maker.maybe(percent) { $0.integer() },
            uint32: maker.maybe(percent) { $0.integer() },
            uint64: maker.maybe(percent) { $0.integer() },
            sint32: maker.maybe(percent) { $0.integer() },
            sint64: maker.maybe(percent) { $0.integer() },
            fixed32: maker.maybe(percent) { $0.integer() },
            fixed64: maker.maybe(percent) { $0.integer() },
            sfixed32: maker.maybe(percent) { $0.integer() },
            sfixed64: maker.maybe(percent) { $0.integer() },
            bool: maker.maybe(percent) { $0.bool() },
            text: maker.maybe(percent) { $0.text() },
            data: maker.maybe(percent) { $0.data() },
            color: maker.maybe(percent) { $0.color() },
            leaf: maker.maybe(percent) { .random(&$0) },
            choice: maker.maybe(50) { .random(&$0) })
    }
}

extension Presences.Choice {
    static func random(_ maker: inout RandomMaker) -> Self {
        switch maker.index(below: 20) {
        case 0: .chosenDouble(maker.double())
        case 1: .chosenFloat(maker.float())
        case 2: .chosenInt32(maker.integer())
        case 3: .chosenInt64(maker.integer())
        case 4: .chosenUint32(maker.integer())
        case 5: .chosenUint64(maker.integer())
        case 6: .chosenSint32(maker.integer())
        case 7: .chosenSint64(maker.integer())
        case 8: .chosenFixed32(maker.integer())
        case 9: .chosenFixed64(maker.integer())
        case 10: .chosenSfixed32(maker.integer())
        case 11: .chosenSfixed64(maker.integer())
        case 12: .chosenBool(maker.bool())
        case 13: .chosenText(maker.text())
        case 14: .chosenData(maker.data())
        case 15: .chosenColor(maker.color())
        case 16: .chosenLeaf(.random(&maker))
        case 17: .chosenWrapper(StringValue(value: maker.text()))
        case 18: .chosenAny(.random(&maker))
        default: .chosenEmpty(Empty())
        }
    }
}
