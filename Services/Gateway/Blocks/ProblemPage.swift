/// The page that stands where another one cannot be shown.
struct ProblemPage: Sendable {
    let problem: Problem
    var heading = ""
    /// Whether somebody is signed in, so that the page leads on to the console.
    var isInConsole = false
    var menu = ConsoleMenu()

    /// The page.
    var frame: PageFrame {
        let words = heading.isEmpty ? Self.heading(of: problem) : heading
        let way: Markup =
            isInConsole
            ? #"<p><a href="\#(Console.listPath)">All organizations</a></p>"#
            : #"<p><a href="/">First page</a></p>"#
        return PageFrame(
            title: words,
            markup: """
                <h1>\(words)</h1>
                <p class="lead">\(problem.message)</p>
                \(way)
                """, hasForm: isInConsole, isConsole: isInConsole, menu: menu)
    }

    private static func heading(of problem: Problem) -> String {
        switch problem.httpStatus {
        case 403: "You may not do this"
        case 404: "There is nothing here"
        case 410: "This is no longer here"
        case 405: "This page is asked otherwise"
        case 500...: "This does not work at the moment"
        default: "This was not done"
        }
    }
}

extension PageFrame {
    /// The page as the answer to what a problem ended, with what the problem says beside itself.
    func answer(to problem: Problem) -> Answer {
        var answer = self.answer(problem.httpStatus)
        for (name, value) in problem.fields where name != "WWW-Authenticate" {
            answer.fields[name] = value
        }
        if problem.closesConnection { answer.fields["Connection"] = "close" }
        return answer
    }
}
