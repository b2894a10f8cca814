-- What the index of parts of titles holds, an entry a part and place: read to verify it.
CREATE VIRTUAL TABLE organization_part_entry USING fts5vocab (organization_part, instance);
