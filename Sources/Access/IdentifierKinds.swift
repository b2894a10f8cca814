/// The kinds of things that have identifiers; they exist to tell identifier types apart.
public enum IdentifierKind {
    /// An organization.
    public enum Organization {}
    /// A person who can sign in.
    public enum User {}
    /// A credential of a program.
    public enum APIKey {}
    /// A partner.
    public enum Partner {}
    /// A product that is sold.
    public enum Product {}
    /// A sale.
    public enum Sale {}
    /// A line of a sale.
    public enum SaleLine {}
    /// A workspace of an organization.
    public enum Workspace {}
    /// A durable workflow.
    public enum Workflow {}
    /// A session of a signed-in person.
    public enum Session {}
    /// A call, for logs.
    public enum Request {}
}

/// Identifies an organization.
public typealias OrganizationID = Identifier<IdentifierKind.Organization>
/// Identifies a person.
public typealias UserID = Identifier<IdentifierKind.User>
/// Identifies the credential of a program.
public typealias APIKeyID = Identifier<IdentifierKind.APIKey>
/// Identifies a partner.
public typealias PartnerID = Identifier<IdentifierKind.Partner>
/// Identifies a product.
public typealias ProductID = Identifier<IdentifierKind.Product>
/// Identifies a sale.
public typealias SaleID = Identifier<IdentifierKind.Sale>
/// Identifies a line of a sale.
public typealias SaleLineID = Identifier<IdentifierKind.SaleLine>
/// Identifies a workspace.
public typealias WorkspaceID = Identifier<IdentifierKind.Workspace>
/// Identifies a durable workflow.
public typealias WorkflowID = Identifier<IdentifierKind.Workflow>
/// Identifies a session.
public typealias SessionID = Identifier<IdentifierKind.Session>
/// Identifies a call in logs and errors.
public typealias RequestID = Identifier<IdentifierKind.Request>
