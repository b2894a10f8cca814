internal import CFuzzKit
internal import Foundation

/// libFuzzer, which makes inputs and finds those that reach what none before has reached.
public enum Fuzzer {
    /// Tests inputs as the program's arguments say, then ends the program.
    ///
    /// A test that stops the process has found something.
    public static func run(
        _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
    ) -> Never {
        exit(unsafe fuzzer_run(CommandLine.argc, CommandLine.unsafeArgv, test))
    }
}
