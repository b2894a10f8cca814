CREATE TABLE partner (
    id         BLOB    PRIMARY KEY CHECK (length(id) = 16),
    name       TEXT    NOT NULL,
    name_key   TEXT    NOT NULL UNIQUE,  -- folded: upper and lower case alike
    region     TEXT    NOT NULL,         -- countries with a space between; empty: everywhere
    user_id    BLOB    CHECK (length(user_id) = 16),
    created_at INTEGER NOT NULL,
    version    INTEGER NOT NULL CHECK (version > 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX partner_of_user ON partner (user_id);

CREATE TABLE product (
    id               BLOB    PRIMARY KEY CHECK (length(id) = 16),
    name             TEXT    NOT NULL,
    name_key         TEXT    NOT NULL UNIQUE,
    unit_price_minor INTEGER NOT NULL CHECK (unit_price_minor >= 0),
    currency         TEXT    NOT NULL CHECK (length(currency) = 3),
    seats_per_unit   INTEGER NOT NULL CHECK (seats_per_unit > 0),
    created_at       INTEGER NOT NULL,
    version          INTEGER NOT NULL CHECK (version > 0)
) STRICT, WITHOUT ROWID;

-- An organization that is not here buys at the list price.
CREATE TABLE distributor_discount (
    organization_id BLOB    PRIMARY KEY CHECK (length(organization_id) = 16),
    basis_points    INTEGER NOT NULL CHECK (basis_points BETWEEN 0 AND 10000),
    version         INTEGER NOT NULL CHECK (version > 0)
) STRICT, WITHOUT ROWID;

-- The partner that looks after an organization and everything below it.
CREATE TABLE assignment (
    organization_id BLOB    PRIMARY KEY CHECK (length(organization_id) = 16),
    partner_id      BLOB    NOT NULL REFERENCES partner (id),
    assigned_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sale (
    id                       BLOB    PRIMARY KEY CHECK (length(id) = 16),
    partner_id               BLOB    NOT NULL REFERENCES partner (id),
    state                    INTEGER NOT NULL CHECK (state BETWEEN 1 AND 5),
    -- The buyer that exists; with a new organization only once the sale is fulfilled.
    buyer_organization_id    BLOB    CHECK (length(buyer_organization_id) = 16),
    new_parent_id            BLOB    CHECK (length(new_parent_id) = 16),
    new_title                TEXT,
    new_category             INTEGER,
    new_country              TEXT,
    new_colors               BLOB,
    currency                 TEXT    NOT NULL CHECK (length(currency) = 3),
    -- Fixed when the sale is registered.
    list_total_minor         INTEGER CHECK (list_total_minor >= 0),
    distribution_total_minor INTEGER
        CHECK (distribution_total_minor BETWEEN 0 AND list_total_minor),
    discount_basis_points    INTEGER CHECK (discount_basis_points BETWEEN 0 AND 10000),
    workflow_id              BLOB    CHECK (length(workflow_id) = 16),
    refusal_code             TEXT,
    refusal_message          TEXT,
    created_at               INTEGER NOT NULL,
    updated_at               INTEGER NOT NULL,
    version                  INTEGER NOT NULL CHECK (version > 0),
    -- One kind of buyer or the other, and once fulfilled there is one.
    CHECK (new_title IS NOT NULL OR buyer_organization_id IS NOT NULL),
    CHECK (state <> 4 OR buyer_organization_id IS NOT NULL),
    -- A draft has no amounts; what is registered, approved or fulfilled has all of them.
    CHECK (state <> 1 OR list_total_minor IS NULL),
    CHECK (state NOT IN (2, 3, 4) OR list_total_minor IS NOT NULL),
    CHECK ((list_total_minor IS NULL) = (distribution_total_minor IS NULL)),
    CHECK ((list_total_minor IS NULL) = (discount_basis_points IS NULL)),
    -- What is under way or done names its workflow.
    CHECK (state NOT IN (3, 4) OR workflow_id IS NOT NULL),
    CHECK ((refusal_code IS NULL) = (refusal_message IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX sale_by_state ON sale (state, id);
CREATE INDEX sale_by_partner ON sale (partner_id, id);

CREATE TABLE sale_line (
    sale_id          BLOB    NOT NULL REFERENCES sale (id),
    position         INTEGER NOT NULL CHECK (position BETWEEN 1 AND 100),
    product_id       BLOB    NOT NULL REFERENCES product (id),
    quantity         INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 100000),
    -- Fixed when the sale is registered.
    unit_price_minor INTEGER CHECK (unit_price_minor >= 0),
    seats_per_unit   INTEGER CHECK (seats_per_unit > 0),
    PRIMARY KEY (sale_id, position),
    CHECK ((unit_price_minor IS NULL) = (seats_per_unit IS NULL))
) STRICT, WITHOUT ROWID;
