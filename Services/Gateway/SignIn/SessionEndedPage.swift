/// The page for somebody whose session ended before a form was sent: what was typed is kept on it.
struct SessionEndedPage: Sendable {
    let form: KeptForm

    /// The page.
    var frame: PageFrame {
        PageFrame(
            title: "Your session has ended",
            markup: """
                <h1>Your session has ended</h1>
                <p class="lead">Nothing was changed yet, and nothing is lost: this page keeps what \
                you typed.</p>
                <p><a href="\(SignIn.path)" target="_blank" rel="noopener">Sign in in another \
                tab</a>, come back, and send it again.</p>
                \(form.markup)
                """, hasForm: true)
    }
}

extension PageDoor {
    /// Asks whoever is not signed in to sign in, and then go on with what they asked for.
    ///
    /// A page is come back to by a link. A form is not sent by one: it is kept on a page.
    /// - Parameters:
    ///   - request: What was asked for.
    ///   - form: What was sent; nil when a page was asked for.
    ///   - place: Where to go on when that cannot be come back to.
    /// - Returns: What leads there.
    func signInFirst(_ request: Incoming, _ form: Form?, otherwise place: String) -> Answer {
        let hadSession = cookie.token(in: request) != nil
        var answer: Answer
        if let form {
            let kept = KeptForm(path: String(request.path), form: form)
            answer = SessionEndedPage(form: kept).frame.answer(401)
        } else {
            let said = hadSession ? SignInPage.Said.ended.rawValue : ""
            answer = .seeOther(
                Link.to(
                    SignIn.path,
                    [(SignInPage.nextField, Link.own(request.target) ?? place), ("said", said)]))
        }
        if hadSession { answer.fields["Set-Cookie"] = cookie.field(nil) }
        return answer
    }
}
