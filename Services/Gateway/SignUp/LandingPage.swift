import Messages
import RPC

/// The page of an organization at its custom URL, for those who have not signed in.
struct LandingPage: Sendable {
    let slug: String

    /// The custom URL that a path can be; nil when it can be none, such as one of more segments.
    static func slug(of path: some StringProtocol) -> String? {
        let slug = path.dropFirst()
        guard (3...40).contains(slug.utf8.count),
            slug.utf8.allSatisfy({ byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "-")
            })
        else { return nil }
        return String(slug)
    }

    /// Answers with the page, once the custom URL is known to be open.
    static func answer(_ slug: String, _ gateway: Visitor) async throws(Problem) -> Answer {
        let found = try await gateway.ask(.organizations) {
            try await CustomUrlsClient($0).resolveCustomUrl(
                ResolveCustomUrlRequest(slug: slug), options: $1)
        }
        return LandingPage(slug: found.slug).frame.answer()
    }

    /// The page.
    var frame: PageFrame {
        PageFrame(
            title: slug,
            markup: """
                <h1>\(slug)</h1>
                <p class="lead">Welcome. Sign in, or create an account: you come by \(slug); if it \
                takes people in, you join it.</p>
                <p class="buttons"><a class="button" href="\(SignIn.path)">Sign in</a>
                <a class="button second" href="\(SignUp.path(at: slug))">Create an account</a></p>
                <p class="after"><a href="\(Link.to(Contact.path, [("organization", slug)]))">\
                Write to us</a></p>
                """)
    }
}
