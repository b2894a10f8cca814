-- Finds the grant of a sale, so that another attempt of the same sale adds nothing. Not unique: a
-- database of before may hold seats that were granted twice.
CREATE INDEX seat_grant_by_sale ON seat_grant (sale_id, organization_id);
