import DynamicMessages
import Encodings
import Testing

/// What the JSON of a message may be, and what is said of any other.
@Suite struct JSONTests {
    /// The request as it comes back, or the fault.
    private func again(_ text: String) throws -> String {
        let (schema, type) = try Fixtures.kindsMessage()
        let bytes = try schema.encode(try JSONValue(parsing: text.utf8), as: type)
        return try schema.decode(bytes, as: type).text()
    }

    private func fault(_ text: String) throws -> String {
        do {
            return try again(text)
        } catch let fault as MessageFault {
            return fault.description
        }
    }

    @Test(arguments: [
        (#"{}"#, #"{}"#),
        (#"{"int32": 0, "textOfManyWords": "", "bool": false, "texts": []}"#, #"{}"#),
        (#"{"optionalInt32": 0, "optionalText": ""}"#, #"{"optionalInt32":0,"optionalText":""}"#),
        (#"{"text_of_many_words": "a"}"#, #"{"textOfManyWords":"a"}"#),
        (#"{"other-name": "a"}"#, #"{"other-name":"a"}"#),
        (#"{"renamed": "a"}"#, #"{"other-name":"a"}"#),
        (
            #"{"int64": 5, "uint64": "18446744073709551615"}"#,
            #"{"int64":"5","uint64":"18446744073709551615"}"#
        ),
        (
            #"{"int32": 1e3, "uint32": "7", "sint32": -2.0}"#,
            #"{"int32":1000,"uint32":7,"sint32":-2}"#
        ),
        (#"{"double": "NaN", "float": "-Infinity"}"#, #"{"float":"-Infinity","double":"NaN"}"#),
        (#"{"double": 1e20, "float": 0.1}"#, #"{"float":0.1,"double":1e+20}"#),
        (
            #"{"data": "-_8", "datas": ["AQI", "AQI="]}"#,
            #"{"data":"+/8=","datas":["AQI=","AQI="]}"#
        ),
        (
            #"{"color": "COLOR_RED", "colors": [2, -1, 7]}"#,
            #"{"color":"COLOR_RED","colors":["COLOR_DEEP_BLUE","COLOR_NEGATIVE",7]}"#
        ),
        (#"{"leaf": null, "int32": null}"#, #"{}"#),
        (#"{"leaf": {}}"#, #"{"leaf":{}}"#),
        (#"{"chosenNull": null}"#, #"{"chosenNull":null}"#),
        (#"{"chosenNumber": 0}"#, #"{"chosenNumber":0}"#),
        (
            #"{"datasByTruth": {"true": "AQ==", "false": ""}}"#,
            #"{"datasByTruth":{"false":"","true":"AQ=="}}"#
        ),
        (#"{"doublesByNumber": {"-5": 1, "3": 2}}"#, #"{"doublesByNumber":{"-5":1,"3":2}}"#),
        (#"{"value": null}"#, #"{"value":null}"#),
        (#"{"value": {"a": [1, true, null, "b"]}}"#, #"{"value":{"a":[1,true,null,"b"]}}"#),
        (#"{"mask": "title,parentId.shortName"}"#, #"{"mask":"title,parentId.shortName"}"#),
        (
            #"{"int64Value": 0, "boolValue": false, "stringValue": ""}"#,
            #"{"int64Value":"0","boolValue":false,"stringValue":""}"#
        ),
        (
            #"{"any": {"@type": "x/guildhall.kinds.v1.Kinds.Leaf", "name": "a"}}"#,
            #"{"any":{"@type":"x/guildhall.kinds.v1.Kinds.Leaf","name":"a"}}"#
        ),
        (
            #"{"any": {"value": "1s", "@type": "x/google.protobuf.Duration"}}"#,
            #"{"any":{"@type":"x/google.protobuf.Duration","value":"1s"}}"#
        ),
        (#"{"itself": {"itself": {"bool": true}}}"#, #"{"itself":{"itself":{"bool":true}}}"#),
        (#"{"textsByText": {"\u0000": "\ud83e\udd86"}}"#, #"{"textsByText":{"\u0000":"🦆"}}"#),
    ])
    func `is read and written as the mapping says`(text: String, expected: String) throws {
        #expect(try again(text) == expected)
    }

    @Test(arguments: [
        (
            #"{"optionalTxet": "a"}"#,
            "optionalTxet: guildhall.kinds.v1.Kinds has no such field; is optionalText meant?"
        ),
        (
            #"{"leaves": [{}, {"wait": 1}]}"#,
            "leaves[1].wait: guildhall.kinds.v1.Kinds.Leaf has no such field."
        ),
        (
            #"{"leavesByNumber": {"1": {"nane": ""}}}"#,
            #"leavesByNumber["1"].nane: guildhall.kinds.v1.Kinds.Leaf has no such field; "#
                + "is name meant?"
        ),
        (#"{"int32": 1, "int32": 1}"#, "int32: The name stands twice."),
        (
            #"{"textOfManyWords": "", "text_of_many_words": ""}"#,
            "text_of_many_words: The field is given twice."
        ),
        (
            #"{"chosenText": "", "chosenNumber": 1}"#,
            "chosenNumber: chosenText is given too, and only one of them may be."
        ),
        (
            #"{"datasByTruth": {"yes": ""}}"#,
            #"datasByTruth["yes"]: true or false is expected."#
        ),
        (
            #"{"leavesByNumber": {"1": {}, "1.0": {}}}"#,
            #"leavesByNumber["1.0"]: The key is given twice."#
        ),
        (
            #"{"int32": 2147483648}"#,
            "int32: A whole number from -2147483648 to 2147483647 is expected."
        ),
        (
            #"{"uint64": -1}"#,
            "uint64: A whole number from 0 to 18446744073709551615 is expected."
        ),
        (
            #"{"int64": 1.5}"#,
            "int64: A whole number from -9223372036854775808 to 9223372036854775807 is expected."
        ),
        (
            #"{"int32": "0x1"}"#,
            "int32: A whole number from -2147483648 to 2147483647 is expected."
        ),
        (#"{"float": 1e39}"#, "float: A number of 32 bits is expected."),
        (#"{"double": "inf"}"#, "double: A number of 64 bits is expected."),
        (#"{"bool": "true"}"#, "bool: true or false is expected."),
        (#"{"bool": 1}"#, "bool: true or false is expected."),
        (#"{"textOfManyWords": 1}"#, "textOfManyWords: A text is expected."),
        (#"{"data": "*"}"#, "data: A text in Base64 is expected."),
        (
            #"{"color": "COLOR_RAD"}"#,
            "color: guildhall.kinds.v1.Kinds.Color has no value COLOR_RAD; is COLOR_RED meant?"
        ),
        (#"{"texts": "a"}"#, "texts: A JSON array is expected."),
        (#"{"texts": [null]}"#, "texts[0]: A text is expected."),
        (#"{"leaf": []}"#, "leaf: A JSON object is expected."),
        (
            #"{"timestamp": "2030-02-30T00:00:00Z"}"#,
            "timestamp: An instant such as 2030-01-31T08:00:00Z is expected."
        ),
        (#"{"duration": "1"}"#, "duration: A duration such as 3.5s is expected."),
        (
            #"{"mask": "parent_id"}"#,
            "mask: Names of fields as in JSON, with commas, are expected."
        ),
        (#"[]"#, "A JSON object is expected."),
        (#"{"int32": 01}"#, "byte 11: A number does not begin with 0."),
        (#"{"int32": 1"#, "byte 11: A comma or a closing brace is expected here."),
        (#"{} {}"#, "byte 3: Something stands after the end of the document."),
    ])
    func `is refused with the place and a sentence`(text: String, expected: String) throws {
        #expect(try fault(text) == expected)
    }

    @Test func `a document that nests too deep is refused`() throws {
        let text =
            String(repeating: #"{"itself":"#, count: 120) + "{}"
            + String(repeating: "}", count: 120)

        #expect(try fault(text).hasSuffix("The document nests deeper than 100 levels."))
    }

    @Test func `defaults are shown on demand`() throws {
        let schema = try Fixtures.kinds()
        let type = try #require(schema.messages["guildhall.kinds.v1.Kinds.Leaf"])
        var options = JSONOptions()
        options.writesDefaults = true

        #expect(
            try schema.decode([], as: type, options: options).text() == #"{"name":"","weight":0}"#)
    }

    @Test func `a document is laid out for people`() throws {
        let document = try JSONValue(parsing: #"{"a":[1,{}],"b":{"c":"d"}}"#.utf8)

        #expect(
            document.text(.indented) == """
                {
                  "a": [
                    1,
                    {}
                  ],
                  "b": {
                    "c": "d"
                  }
                }
                """)
    }

    @Test(
        arguments: [
            [0x08], [0x72, 0x05, 0x61], [0x00, 0x00], [0x0F, 0x00], [0x72, 0x01, 0xFF],
            [UInt8](repeating: 0xFF, count: 12),
        ] as [[UInt8]])
    func `malformed bytes are refused`(bytes: [UInt8]) throws {
        let (schema, type) = try Fixtures.kindsMessage()

        #expect(throws: MessageFault.self) { try schema.decode(bytes, as: type) }
    }

    @Test func `fields that are not known are left out`() throws {
        let (schema, type) = try Fixtures.kindsMessage()

        #expect(
            try schema.decode([0x08, 0x01, 0xF8, 0x3F, 0x05], as: type).text() == #"{"int32":1}"#)
    }
}
