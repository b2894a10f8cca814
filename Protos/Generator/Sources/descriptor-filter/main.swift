import Foundation
import SwiftProtobuf

// Prepares a descriptor set for a generator: reads it from standard input, writes it to standard
// output. The argument names the generator: `swift` or `c`.
//
// `names` writes the names of the files instead, one a line.
//
// Both lose the annotations, of `google.api` and our own, which their output has no use for. For protoc-c,
// moreover, strings become bytes, `optional` becomes the oneof that it is on the wire, and
// services and the marks of what is deprecated go.
enum Target: String {
    case swift
    case c
    case names
}

guard CommandLine.arguments.count == 2, let target = Target(rawValue: CommandLine.arguments[1])
else {
    FileHandle.standardError.write(Data("usage: descriptor-filter swift|c|names < in > out\n".utf8))
    exit(2)
}

do {
    let input = FileHandle.standardInput.readDataToEndOfFile()
    var set = try Google_Protobuf_FileDescriptorSet(serializedBytes: input)
    if target == .names {
        let names = set.file.map { $0.name + "\n" }.joined()
        FileHandle.standardOutput.write(Data(names.utf8))
        exit(0)
    }
    set.file = set.file.filter { !Filter.isDropped($0.name) }.map { file in
        let plain = Filter.withoutAnnotations(file)
        return target == .c ? Filter.forProtobufC(plain) : plain
    }
    FileHandle.standardOutput.write(try set.serializedBytes())
} catch {
    FileHandle.standardError.write(Data("descriptor-filter: \(error)\n".utf8))
    exit(1)
}
