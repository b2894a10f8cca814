import FuzzKit

unsafe Fuzzer.run { start, count in
    unsafe test(Input(start, count))
    return 0
}
