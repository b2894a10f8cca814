internal import Glibc

/// Writes each mail to a file of its own, `<identifier>.eml`: whole or not at all, and on the disk
/// before it counts as handed over.
///
/// A mail that comes again has the same name, so that there is one file.
struct FolderDoor: MailDoor {
    let path: String

    func deliver(_ message: MailMessage) throws(MailFault) {
        // Whoever else may use the machine does not read mails.
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw fault("cannot make \(path)")
        }
        let part = "\(path)/.\(message.id).part"
        try write(message.encoded(), to: part)
        guard unsafe rename(part, "\(path)/\(message.id).eml") == 0 else {
            throw fault("cannot rename \(part)")
        }
        // The name, too.
        let folder = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw fault("cannot open \(path)") }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw fault("cannot sync \(path)") }
    }

    private func write(_ bytes: [UInt8], to file: String) throws(MailFault) {
        // What a crash has left of an earlier attempt is overwritten.
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC
        let descriptor = unsafe open(file, flags, 0o600)
        guard descriptor >= 0 else { throw fault("cannot write \(file)") }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { bytes in
                unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw fault("cannot write \(file)") }
            rest = rest.dropFirst(count)
        }
        guard fsync(descriptor) == 0 else { throw fault("cannot sync \(file)") }
    }

    private func fault(_ what: String) -> MailFault {
        .unreachable("\(what): \(unsafe String(cString: strerror(errno)))")
    }
}
