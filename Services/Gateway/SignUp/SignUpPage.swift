import Messages

/// The page on which people register.
struct SignUpPage: Sendable {
    let form: Form
    var problem: Problem?

    private static let fields = [
        Field(
            name: "name", label: "Your name",
            control: .line(type: "text", autocomplete: "name"), isRequired: true),
        Field(
            name: "email", label: "Your email address",
            control: .line(type: "email", autocomplete: "email"), isRequired: true),
        Field(
            name: "password", label: "Password",
            control: .line(type: "password", autocomplete: "new-password"), isRequired: true),
    ]

    /// The custom URL by which somebody came; empty when there is none, or it can be none.
    static func slug(_ form: Form) -> String {
        LandingPage.slug(of: "/" + form["at"]) ?? ""
    }

    /// The page.
    var frame: PageFrame {
        let slug = Self.slug(form)
        let place: Markup =
            slug.isEmpty
            ? "We send a link to your email address, so that nobody else can use it."
            : """
            You come by <strong>\(slug)</strong>; if it takes people in, you join it. We send a \
            link to your email address first.
            """
        // What is refused may be where they come by: it is no reason to have no account.
        let without: Markup =
            problem == nil || slug.isEmpty
            ? ""
            : """
            <p class="after"><a href="\(SignUp.path)">Create an account without it</a></p>
            """
        let notice: Markup =
            problem.map { Notice.refused($0, "You are not registered yet", fields: Self.fields) }
            ?? ""
        let hidden = HiddenFields(key: form, slug.isEmpty ? [] : [("at", slug)])
        return PageFrame(
            title: (problem == nil ? "" : "Not registered yet – ") + "Create an account",
            markup: """
                <h1>Create an account</h1>
                <p class="lead">\(place)</p>
                \(notice)
                <form method="post" action="\(SignUp.path)" novalidate>\(hidden.markup)
                \(Self.fields.map { $0.markup(form, problem) })
                <button type="submit">Create an account</button>
                </form>
                \(without)
                <p class="after">You have one? <a href="\(SignIn.path)">Sign in</a></p>
                """, hasForm: true)
    }

    /// The page after somebody has registered: the same whether the address is known or not.
    static let sent = PageFrame(
        title: "Look into your mail",
        markup: """
            <h1>Look into your mail</h1>
            <p class="lead">We have written to the address that you gave. Open the link in that \
            mail to go on; if there is none, look among the unwanted mails.</p>
            <p><a href="\(SignUp.path)">Use another address</a></p>
            """)
}

/// The page to which the link in a mail leads.
struct VerifyPage: Sendable {
    let form: Form
    var problem: Problem?

    private static let fields = [
        Field(
            name: "password", label: "The password that you chose",
            control: .line(type: "password", autocomplete: "current-password"), isRequired: true)
    ]

    /// The page with the button.
    var frame: PageFrame {
        let fault = problem.map(Self.atField)
        let notice: Markup =
            fault.map { Notice.refused($0, "Your address is not confirmed", fields: Self.fields) }
            ?? ""
        return PageFrame(
            title: (problem == nil ? "" : "Not confirmed yet – ") + "Confirm your email address",
            markup: """
                <h1>Confirm your email address</h1>
                <p class="lead">Type the password that you chose when you signed up, and your \
                account is ready.</p>
                \(notice)
                <form method="post" action="\(SignUp.verifyPath)" novalidate>
                \(HiddenFields(key: form, [("token", form["token"])]).markup)
                \(Self.fields.map { $0.markup(form, fault) })
                <button type="submit">Confirm</button>
                </form>
                <p class="after">The link is old? <a href="\(SignUp.path)">Register again</a></p>
                """, hasForm: true)
    }

    /// A wrong password stands at its field: there is nothing else to be wrong.
    private static func atField(_ problem: Problem) -> Problem {
        guard problem.code == "wrong_credentials" else { return problem }
        var fault = Problem.invalid("password", "This is not the password that you chose.")
        fault.httpStatus = problem.httpStatus
        return fault
    }

    /// The page once the address is confirmed.
    static func confirmed(_ reply: VerifyEmailReply) -> PageFrame {
        let joined: Markup =
            reply.organizationTitle.isEmpty
            ? "" : "<p>You belong to <strong>\(reply.organizationTitle)</strong> now.</p>"
        return PageFrame(
            title: "Your address is confirmed",
            markup: """
                <h1>Your address is confirmed</h1>
                <p class="lead">Your account is ready.</p>
                \(joined)
                <p class="buttons"><a class="button" href="\(SignIn.path)">Sign in</a></p>
                """)
    }
}

/// The page that asks somebody who signed up for their organization.
struct FoundingPage: Sendable {
    let form: Form
    var problem: Problem?

    private static let fields = [
        Field(name: "title", label: "Title", isRequired: true),
        Field(name: "description", label: "Description", control: .area(rows: 3)),
        Field(
            name: "category", label: "Category",
            control: .choice(OrganizationCategory.options, none: "A company, unless told")),
        Field(
            name: "country", label: "Country",
            control: .choice(Countries.options, none: "Not told")),
        Field(
            name: "kind", label: "Kind",
            control: .choice(OrganizationKind.options, none: "Not told")),
        Field(
            name: "reference", label: "What is it for?", control: .area(rows: 4),
            hint: "For us alone; shown to nobody else."),
    ]

    /// The request that the form stands for.
    static func request(_ form: Form) -> CreateOwnOrganizationRequest {
        CreateOwnOrganizationRequest(
            title: form["title"], description: form["description"],
            category: OrganizationCategory(formValue: form["category"]), country: form["country"],
            kind: OrganizationKind(formValue: form["kind"]), reference: form["reference"])
    }

    /// The page for somebody who may make none.
    static let closed = PageFrame(
        title: "Your organization",
        markup: """
            <h1>Your organization</h1>
            <p class="lead">You cannot make an organization of your own here. If you require more \
            than one organization, <a href="\(Contact.path)">contact us</a>.</p>
            <p><a href="\(Console.path)">Go to the console</a></p>
            """)

    /// The page.
    var frame: PageFrame {
        let notice: Markup =
            problem.map {
                Notice.refused($0, "Your organization was not made yet", fields: Self.fields)
            } ?? ""
        return PageFrame(
            title: (problem == nil ? "" : "Not made yet – ") + "Your organization",
            markup: """
                <h1>Your organization</h1>
                <p class="lead">You may make one organization, and own it.</p>
                \(notice)
                <form method="post" action="\(SignUp.organizationPath)" novalidate>
                \(HiddenFields(key: form).markup)
                \(Self.fields.map { $0.markup(form, problem) })
                <p class="buttons"><button type="submit">Make it</button>
                <a href="\(Console.path)">Not now</a></p>
                </form>
                """, hasForm: true)
    }
}
