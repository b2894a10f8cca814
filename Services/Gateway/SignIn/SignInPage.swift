/// The page on which people sign in.
struct SignInPage: Sendable {
    /// The field that says where to go on.
    static let nextField = "next"

    /// Why somebody comes to the page.
    enum Said: String, Sendable {
        case out, ended

        fileprivate var sentence: String {
            switch self {
            case .out: "You are signed out."
            case .ended: "Your session has ended. Please sign in again."
            }
        }
    }

    let form: Form
    var said: Said?
    var problem: Problem?

    private static let fields = [
        Field(
            name: "email", label: "Email address",
            control: .line(type: "email", autocomplete: "username"), isRequired: true),
        Field(
            name: "password", label: "Password",
            control: .line(type: "password", autocomplete: "current-password"), isRequired: true),
    ]

    /// The page.
    var frame: PageFrame {
        PageFrame(
            title: problem == nil ? "Sign in" : "Not signed in – Sign in", markup: content,
            hasForm: true)
    }

    private var content: Markup {
        let notice: Markup =
            if let problem {
                Notice.refused(problem, "You are not signed in", fields: Self.fields)
            } else {
                said.map { Notice.hint("\($0.sentence)") } ?? .empty
            }
        let next = Link.own(form[Self.nextField]) ?? ""
        let hidden = HiddenFields(key: form, next.isEmpty ? [] : [(Self.nextField, next)])
        return """
            <h1>Sign in</h1>
            <p class="lead">To look after your organizations.</p>
            \(notice)
            <form method="post" action="\(SignIn.path)" novalidate>\(hidden.markup)
            \(Self.fields.map { $0.markup(form, problem) })
            <button type="submit">Sign in</button>
            </form>
            <p class="after">New here? <a href="\(SignUp.path)">Create an account</a></p>
            """
    }
}
