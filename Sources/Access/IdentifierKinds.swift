/// The kinds of things that have identifiers; they exist to tell identifier types apart.
public enum IdentifierKind {
    /// An organization.
    public enum Organization {}
    /// A template of organizations.
    public enum OrganizationType {}
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
    /// A part of the platform that organizations are given.
    public enum Module {}
    /// A chapter of a module.
    public enum Chapter {}
    /// Something to learn.
    public enum Course {}
    /// What an organization pays for period by period.
    public enum Subscription {}
    /// What a seat gives.
    public enum SeatType {}
    /// A bundle of courses.
    public enum LicenseType {}
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
/// Identifies a template of organizations.
public typealias OrganizationTypeID = Identifier<IdentifierKind.OrganizationType>
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
/// Identifies a module.
public typealias ModuleID = Identifier<IdentifierKind.Module>
/// Identifies a chapter of a module.
public typealias ChapterID = Identifier<IdentifierKind.Chapter>
/// Identifies a course.
public typealias CourseID = Identifier<IdentifierKind.Course>
/// Identifies a subscription.
public typealias SubscriptionID = Identifier<IdentifierKind.Subscription>
/// Identifies a type of seats.
public typealias SeatTypeID = Identifier<IdentifierKind.SeatType>
/// Identifies a type of licenses.
public typealias LicenseTypeID = Identifier<IdentifierKind.LicenseType>
/// Identifies a workspace.
public typealias WorkspaceID = Identifier<IdentifierKind.Workspace>
/// Identifies a durable workflow.
public typealias WorkflowID = Identifier<IdentifierKind.Workflow>
/// Identifies a session.
public typealias SessionID = Identifier<IdentifierKind.Session>
/// Identifies a call in logs and errors.
public typealias RequestID = Identifier<IdentifierKind.Request>
