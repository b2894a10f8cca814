import ServiceKit
import Storage
import TreeCopy

/// What is fixed when the service starts; folders, ports and upstreams come from `ServiceKit`.
enum Configuration {
    static let name = "partners"
    static let port = 7103

    /// The tables of this service and those of its copy of the tree.
    static let migrations =
        [
            Migration(
                component: name, number: 1, name: "first-tables",
                utf8: PackageResources._001_first_tables_sql),
            Migration(
                component: name, number: 2, name: "catalog-and-subscriptions",
                utf8: PackageResources._002_catalog_and_subscriptions_sql),
        ] + TreeCopy.migrations

    /// Keeps the copy of the tree.
    static let treeTarget = FeedTarget(
        apply: { event, transaction in try TreeCopy.apply(event, in: transaction) },
        reset: { try TreeCopy.reset(in: $0) },
        caughtUp: { try TreeCopy.finishRebuild(in: $0) },
        isLost: { try TreeCopy.isEmpty(in: $0) })
}
