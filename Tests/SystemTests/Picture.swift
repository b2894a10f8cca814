import Foundation

/// Pictures to upload.
enum Picture {
    /// A PNG of one pixel.
    static let png = Data(
        base64Encoded:
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mMQ8ooBAAEqALl2tYZtAAAAAElFTkSuQmCC"
    ) ?? Data()
}
