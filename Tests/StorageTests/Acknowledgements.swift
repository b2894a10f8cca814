import Storage

@testable import StorageWorker

/// What the clients of a database were told.
struct Acknowledgements {
    /// One command of one client.
    struct Place: Hashable {
        let client: Int
        let counter: Int
    }

    /// What a command answered.
    struct Answer: Hashable {
        let isRefusal: Bool
        let bytes: String

        init(isRefusal: Bool, bytes: String) {
            self.isRefusal = isRefusal
            self.bytes = bytes
        }

        init(_ outcome: CommandOutcome) {
            switch outcome {
            case .reply(let reply): self.init(isRefusal: false, bytes: hexadecimal(reply))
            case .refusal(let refusal): self.init(isRefusal: true, bytes: hexadecimal(refusal))
            }
        }
    }

    private(set) var answers: [Place: Answer] = [:]
    /// Commands that answered other bytes when they were repeated.
    private(set) var changed: [Place] = []
    /// How many answers there were, repeated ones too.
    private(set) var count = 0
    /// Those since the last audit.
    private(set) var fresh: Set<Place> = []

    /// Takes what a worker has said.
    mutating func note(_ lines: [String]) {
        for line in lines {
            let words = line.split(separator: " ")
            // The last line of a killed process may be cut short.
            guard words.count == 4, let client = Int(words[1]), let counter = Int(words[2]),
                ["ack", "refusal"].contains(words[0])
            else { continue }
            note(
                Answer(isRefusal: words[0] == "refusal", bytes: String(words[3])),
                at: Place(client: client, counter: counter))
        }
    }

    mutating func note(_ answer: Answer, at place: Place) {
        count += 1
        if let known = answers[place], known != answer { changed.append(place) }
        answers[place] = answers[place] ?? answer
        fresh.insert(place)
    }

    /// Forgets which ones are new.
    mutating func hasBeenAudited() { fresh = [] }

    /// The last counter of each client.
    func last(of clients: Int) -> [Int] {
        var last = [Int](repeating: 0, count: clients)
        for place in answers.keys where place.client < clients {
            last[place.client] = max(last[place.client], place.counter)
        }
        return last
    }
}
