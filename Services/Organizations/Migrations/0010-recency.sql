-- A number that rises with every change, whichever organization changes: the index of parts of titles
-- goes by it, so that a search reads the latest changed first and only as many as it shows.
ALTER TABLE organization ADD COLUMN recency INTEGER CHECK (recency > 0);
UPDATE organization SET recency = ordered.place
FROM (
    SELECT number, row_number() OVER (ORDER BY updated_micros, number) AS place FROM organization
) AS ordered
WHERE ordered.number = organization.number;
CREATE UNIQUE INDEX organization_recency ON organization (recency);

DROP TABLE organization_part;
CREATE VIRTUAL TABLE organization_part USING fts5 (
    title_key, content = 'organization', content_rowid = 'recency', detail = 'full',
    tokenize = 'trigram case_sensitive 0'
);
INSERT INTO organization_part (rowid, title_key)
SELECT recency, title_key FROM organization ORDER BY recency;
