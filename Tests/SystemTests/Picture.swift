import Foundation

/// Pictures to upload.
enum Picture {
    /// A PNG of one pixel.
    static let png =
        Data(base64Encoded: pngText) ?? Data()

    private static let pngText =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mMQ"
        + "8ooBAAEqALl2tYZtAAAAAElFTkSuQmCC"
}
