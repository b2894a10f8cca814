import Access
import Encodings
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

/// What this service keeps beside the facts it follows from, each recomputed.
let verifiers = [
    TreeCopy.verifier, imageHashes,
    Verifier.feed(
        of: Appearance.messageName, facts: "SELECT organization_id, version FROM appearance"
    ) { "The appearance of \(Hexadecimal.text($0))" },
]

/// The name of each image, from its bytes.
private let imageHashes = Verifier("hashes of images") { snapshot, findings in
    try snapshot.forEachRow(of: "SELECT hash, data FROM asset") { row in
        let hash = AssetHash(try row.bytes(0))
        findings.check()
        if AssetHash(digest(try row.bytes(1))) != hash {
            findings.differ("The image \(hash.text) has other bytes.")
        }
        return true
    }
}
