-- Titles in the order that people expect, “Ärzte” beside “Arzt” and not after “Zoo”: by the title key
-- with letters of Latin, Greek and Cyrillic without their marks. It is kept where it is another than
-- the key. The program makes it of each title that it writes, letter by letter the same.
ALTER TABLE organization ADD COLUMN title_plain TEXT;
ALTER TABLE organization ADD COLUMN title_order TEXT
    GENERATED ALWAYS AS (coalesce(title_plain, title_key)) VIRTUAL;

-- Places in a text of letters.
CREATE TABLE migration_place (place INTEGER NOT NULL PRIMARY KEY) STRICT;
INSERT INTO migration_place (place)
WITH RECURSIVE places (place) AS (
    SELECT 1 UNION ALL SELECT place + 1 FROM places WHERE place < 112
)
SELECT place FROM places;

CREATE TABLE migration_letter (
    letter TEXT NOT NULL PRIMARY KEY,
    plain  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO migration_letter (letter, plain)
SELECT substr(variants.letters, place, 1), variants.plain
FROM (
    WITH known (plain, letters) AS (VALUES
        ('a', 'àáâãäåāăąǎǟǡǻȁȃȧḁạảấầẩẫậắằẳẵặ'),
        ('ae', 'æǣǽ'),
        ('b', 'ḃḅḇ'),
        ('c', 'çćĉċčḉ'),
        ('d', 'ðďđḋḍḏḑḓ'),
        ('e', 'èéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệ'),
        ('f', 'ḟ'),
        ('g', 'ĝğġģǧǵḡ'),
        ('h', 'ĥħȟḣḥḧḩḫẖ'),
        ('i', 'ìíîïĩīĭįıǐȉȋḭḯỉị'),
        ('j', 'ĵǰ'),
        ('k', 'ķǩḱḳḵ'),
        ('l', 'ĺļľłḷḹḻḽ'),
        ('m', 'ḿṁṃ'),
        ('n', 'ñńņňǹṅṇṉṋ'),
        ('o', 'òóôõöøōŏőơǒǫǭǿȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợ'),
        ('oe', 'œ'),
        ('p', 'ṕṗ'),
        ('r', 'ŕŗřȑȓṙṛṝṟ'),
        ('s', 'śŝşšșṡṣṥṧṩ'),
        ('t', 'ţťŧțṫṭṯṱẗ'),
        ('th', 'þ'),
        ('u', 'ùúûüũūŭůűųưǔǖǘǚǜȕȗṳṵṷṹṻụủứừửữự'),
        ('v', 'ṽṿ'),
        ('w', 'ŵẁẃẅẇẉẘ'),
        ('x', 'ẋẍ'),
        ('y', 'ýÿŷȳẏẙỳỵỷỹ'),
        ('z', 'źżžẑẓẕ'),
        ('ʒ', 'ǯ'),
        ('α', 'άἀἁἂἃἄἅἆἇὰᾰᾱᾶ'),
        ('ε', 'έἐἑἒἓἔἕὲ'),
        ('η', 'ήἠἡἢἣἤἥἦἧὴῆ'),
        ('ι', 'ΐίϊἰἱἲἳἴἵἶἷὶῐῑῒῖῗ'),
        ('ο', 'όὀὁὂὃὄὅὸ'),
        ('ρ', 'ῤῥ'),
        ('υ', 'ΰϋύὐὑὒὓὔὕὖὗὺῠῡῢῦῧ'),
        ('ω', 'ώὠὡὢὣὤὥὦὧὼῶ'),
        ('а', 'ӑӓ'),
        ('г', 'ѓ'),
        ('е', 'ѐёӗ'),
        ('ж', 'ӂӝ'),
        ('з', 'ӟ'),
        ('и', 'ѝӣӥ'),
        ('к', 'ќ'),
        ('о', 'ӧ'),
        ('у', 'ўӯӱӳ'),
        ('ч', 'ӵ'),
        ('ы', 'ӹ'),
        ('э', 'ӭ'),
        ('і', 'ї'),
        ('ѵ', 'ѷ'),
        ('ә', 'ӛ'),
        ('ө', 'ӫ')
    )
    SELECT plain, letters FROM known
) AS variants JOIN migration_place ON place <= length(variants.letters);
-- Marks that stand by themselves.
INSERT INTO migration_letter (letter, plain)
SELECT char(767 + place), '' FROM migration_place WHERE place <= 112;

-- Only titles of other letters than those of ASCII can have any.
UPDATE organization SET title_plain = nullif((
    WITH RECURSIVE spelled (place, text) AS (
        SELECT 0, ''
        UNION ALL
        SELECT place + 1, text || coalesce(
            (SELECT plain FROM migration_letter WHERE letter = substr(title_key, place + 1, 1)),
            substr(title_key, place + 1, 1))
        FROM spelled WHERE place < length(title_key)
    )
    SELECT text FROM spelled WHERE place = length(title_key)
), title_key)
WHERE length(CAST(title_key AS BLOB)) > length(title_key);
DROP TABLE migration_letter;
DROP TABLE migration_place;

DROP INDEX organization_below_title;
DROP INDEX organization_title;
CREATE INDEX organization_below_title ON organization (parent, title_order, serial)
    WHERE standing = 1;
CREATE INDEX organization_title ON organization (title_order, serial) WHERE standing = 1;
