import Access
import Messages
import ServiceKit
import Storage

// The messages in which this service's values leave it.

extension Messages.Partner {
    init(_ partner: Partner) {
        self.init(
            id: partner.id.text, name: partner.name.text, region: partner.region.countries,
            userID: partner.user?.text ?? "", createdAt: Timestamp(partner.createdAt),
            version: partner.version, etag: EntityTag.of(version: partner.version))
    }
}

extension Messages.Product {
    init(_ product: Product) {
        self.init(
            id: product.id.text, name: product.name.text,
            unitPriceMinor: product.price.unitPriceMinor, currency: product.currency,
            seatsPerUnit: Int32(product.price.seatsPerUnit),
            createdAt: Timestamp(product.createdAt), version: product.version,
            etag: EntityTag.of(version: product.version))
    }
}

extension Messages.DistributorDiscount {
    init(_ discount: DistributorDiscount) {
        self.init(
            organizationID: discount.organization.text,
            basisPoints: Int32(discount.discount.value), version: discount.version,
            etag: EntityTag.of(version: discount.version))
    }
}

extension Messages.Sale {
    init(_ sale: Sale) {
        var plan: NewOrganization?
        if case .new(let given, _) = sale.buyer { plan = given }
        self.init(
            id: sale.id.text, partnerID: sale.partner.text,
            state: Messages.SaleState(sale.state),
            buyerOrganizationID: sale.buyer.organization?.text ?? "",
            newOrganization: plan.map(Messages.NewOrganization.init),
            lines: sale.lines.map(Messages.SaleLine.init),
            listTotalMinor: sale.amounts?.listTotalMinor ?? 0,
            distributionTotalMinor: sale.amounts?.distributionTotalMinor ?? 0,
            currency: sale.currency,
            discountBasisPoints: Int32(sale.amounts?.discount.value ?? 0),
            workflowID: sale.workflow?.text ?? "",
            refusal: sale.refusal.map {
                Messages.SaleRefusal(code: $0.code, message: $0.message)
            },
            createdAt: Timestamp(sale.createdAt), updatedAt: Timestamp(sale.updatedAt),
            version: sale.version, etag: EntityTag.of(version: sale.version))
    }
}

extension Messages.NewOrganization {
    init(_ plan: NewOrganization) {
        self.init(
            parentID: plan.parent?.text ?? "", title: plan.title, category: plan.category,
            country: plan.country, colors: plan.colors)
    }
}

extension Messages.SaleLine {
    init(_ line: SaleLine) {
        self.init(
            productID: line.product.text, quantity: Int32(line.quantity),
            unitPriceMinor: line.price?.unitPriceMinor ?? 0,
            seatsPerUnit: Int32(line.price?.seatsPerUnit ?? 0))
    }
}

extension Messages.SaleState {
    init(_ state: SaleState) {
        self =
            switch state {
            case .draft: .draft
            case .registered: .registered
            case .approved: .approved
            case .fulfilled: .fulfilled
            case .cancelled: .cancelled
            }
    }
}
