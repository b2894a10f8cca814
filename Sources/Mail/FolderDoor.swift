internal import Glibc

/// Writes each mail to a file of its own, `<identifier>.eml`: whole or not at all, and on the disk
/// before it counts as handed over.
///
/// A mail that comes again has the same name, so that there is one file.
struct FolderDoor: MailDoor {
    let path: String

    func deliver(_ message: MailMessage) throws(MailFault) {
        // Whoever else may use the machine does not read mails.
        if unsafe mkdir(path, 0o700) == 0 {
            do {
                try sync("\(path)/..")
            } catch {
                // The next mail makes it again, and has its name on the disk before its own.
                unsafe rmdir(path)
                throw error
            }
        } else if errno != EEXIST {
            throw fault("cannot make \(path)")
        }
        let part = "\(path)/.\(message.id).part"
        try write(message.encoded(), to: part)
        guard unsafe rename(part, "\(path)/\(message.id).eml") == 0 else {
            throw fault("cannot rename \(part)")
        }
        // The name, too.
        try sync(path)
    }

    /// Has the names in a folder on the disk.
    private func sync(_ folder: String) throws(MailFault) {
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fault("cannot open \(folder)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw fault("cannot sync \(folder)") }
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
