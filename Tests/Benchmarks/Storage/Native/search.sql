-- What a search by a part of the title would need; no service has one yet.
CREATE VIRTUAL TABLE organization_search USING fts5 (title_key, id UNINDEXED, tokenize = 'trigram');
