/// The files of an encoded `google.protobuf.FileDescriptorSet`: which services each declares and
/// which files it imports.
///
/// The files themselves stay encoded: a server hands them on and has no use for what else they
/// say, nor for a library that reads it.
struct DescriptorFiles: Sendable {
    /// One file.
    struct File: Sendable {
        let name: String
        let imports: [String]
        /// The full names of its services.
        let services: [String]
        /// The encoded `google.protobuf.FileDescriptorProto`.
        let bytes: [UInt8]
    }

    /// The files by name.
    let byName: [String: File]
    private let namesByService: [String: String]

    /// The files of a set that was made with the program.
    init(set: [UInt8]) {
        var byName: [String: File] = [:]
        var namesByService: [String: String] = [:]
        for bytes in set[...].fields(Number.fileOfSet) {
            let file = File(bytes)
            byName[file.name] = file
            for service in file.services { namesByService[service] = file.name }
        }
        self.byName = byName
        self.namesByService = namesByService
    }

    /// The name of the file that declares a service; nil when none does.
    func name(declaring service: String) -> String? { namesByService[service] }

    /// The names of files with those of all that they import: each once, after its imports.
    func closure(of names: [String]) -> [String] {
        var result: [String] = []
        var seen: Set<String> = []
        func visit(_ name: String) {
            guard seen.insert(name).inserted, let file = byName[name] else { return }
            for imported in file.imports { visit(imported) }
            result.append(name)
        }
        for name in names { visit(name) }
        return result
    }

    /// Numbers of the fields that are read, from google/protobuf/descriptor.proto.
    fileprivate enum Number {
        static let fileOfSet: UInt64 = 1
        static let name: UInt64 = 1
        static let package: UInt64 = 2
        static let dependency: UInt64 = 3
        static let service: UInt64 = 6
    }
}

extension DescriptorFiles.File {
    private typealias Number = DescriptorFiles.Number

    fileprivate init(_ bytes: ArraySlice<UInt8>) {
        func texts(_ number: UInt64, in bytes: ArraySlice<UInt8>) -> [String] {
            bytes.fields(number).map { String(decoding: $0, as: UTF8.self) }
        }
        let package = texts(Number.package, in: bytes).first.map { $0 + "." } ?? ""
        name = texts(Number.name, in: bytes).first ?? ""
        imports = texts(Number.dependency, in: bytes)
        services = bytes.fields(Number.service)
            .compactMap { texts(Number.name, in: $0).first }.map { package + $0 }
        self.bytes = Array(bytes)
    }
}

extension ArraySlice<UInt8> {
    /// The values of the fields with a number that have a length; all others are skipped.
    ///
    /// The bytes were made with the program: that they are malformed is a defect of ours.
    fileprivate func fields(_ wanted: UInt64) -> [ArraySlice<UInt8>] {
        var rest = self
        var values: [ArraySlice<UInt8>] = []
        while !rest.isEmpty {
            let tag = rest.takeVarint()
            switch tag & 7 {
            case 0: _ = rest.takeVarint()
            case 1: rest = rest.dropFirst(8)
            case 5: rest = rest.dropFirst(4)
            case 2:
                guard let length = Int(exactly: rest.takeVarint()), length <= rest.count else {
                    preconditionFailure("the file descriptors end inside a field")
                }
                if tag >> 3 == wanted { values.append(rest.prefix(length)) }
                rest = rest.dropFirst(length)
            default: preconditionFailure("the file descriptors hold an unknown wire type")
            }
        }
        return values
    }

    private mutating func takeVarint() -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = popFirst() else { break }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        preconditionFailure("the file descriptors hold a malformed number")
    }
}
