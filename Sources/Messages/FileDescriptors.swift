internal import CMessages

/// The .proto files behind the messages and services of this module, for reflection.
public enum FileDescriptors {
    /// An encoded `google.protobuf.FileDescriptorSet`: every file and all that they import, each
    /// after its imports, with the comments of the project's own.
    public static var set: [UInt8] {
        unsafe [UInt8](
            UnsafeBufferPointer(start: messages_descriptors(), count: messages_descriptors_size()))
    }
}
