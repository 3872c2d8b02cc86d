-- Version 1 of a vault. Frozen: a change of shape is a new file.

-- Who this device is, and what it agreed with its server.
CREATE TABLE setting(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- Row 0 is the replica: its last counter, its hybrid clock, the last server time heard, up to which of its changes all have a verdict, and
-- the last record that was ever indexed for search. The others are the heads of its own feeds. One table, since each save writes both.
CREATE TABLE head(
    scope INTEGER PRIMARY KEY,
    counter INTEGER NOT NULL DEFAULT 0,
    hash BLOB NOT NULL DEFAULT x'',
    stamp INTEGER NOT NULL DEFAULT 0,
    heard INTEGER NOT NULL DEFAULT 0,
    decided INTEGER NOT NULL DEFAULT 0,
    indexed INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO head(scope) VALUES (0);
-- Changes after `decided` that have a verdict already.
CREATE TABLE early(counter INTEGER PRIMARY KEY) STRICT;

-- The scopes that the user's assignments give, and their cursors.
CREATE TABLE scope(
    no INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    label TEXT NOT NULL,
    section TEXT NOT NULL,
    target TEXT NOT NULL,
    kind TEXT NOT NULL,
    roles TEXT NOT NULL,
    held INTEGER NOT NULL,
    seq INTEGER NOT NULL DEFAULT 0,
    hash BLOB NOT NULL,
    base_seq INTEGER NOT NULL DEFAULT 0,
    resume BLOB
) STRICT;

CREATE TABLE record_type(name TEXT PRIMARY KEY, version INTEGER NOT NULL, source TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- What is shown (doc) and what stands behind it (meta). flags: 1 sealed, 2 deleted. review: number of open items. own: this replica's
-- newest change in what is shown, 0 for none.
CREATE TABLE record(
    no INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    scope INTEGER NOT NULL REFERENCES scope(no),
    type TEXT NOT NULL,
    k1 ANY,
    k2 ANY,
    flags INTEGER NOT NULL,
    review INTEGER NOT NULL,
    own INTEGER NOT NULL,
    doc TEXT NOT NULL,
    meta BLOB NOT NULL
) STRICT;
CREATE INDEX record_list ON record(type, k1, k2);
CREATE INDEX record_review ON record(no) WHERE review > 0;

-- The confirmed state of a record that has unsent changes and was there before them; the same columns.
CREATE TABLE confirmed(no INTEGER PRIMARY KEY, doc TEXT NOT NULL, meta BLOB NOT NULL) STRICT;

-- This replica's own changes, as signed; prev: the one before to the same record.
CREATE TABLE change(
    counter INTEGER PRIMARY KEY,
    record INTEGER NOT NULL,
    prev INTEGER NOT NULL,
    scope INTEGER NOT NULL,
    header BLOB NOT NULL,
    salt BLOB NOT NULL,
    content BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE TABLE verdict(counter INTEGER PRIMARY KEY, verdict INTEGER NOT NULL, seq INTEGER NOT NULL, stamp INTEGER NOT NULL, reason TEXT NOT NULL) STRICT;

-- What the server signed of its decisions about this replica.
CREATE TABLE decision(no INTEGER PRIMARY KEY, before BLOB NOT NULL, body BLOB NOT NULL, signature BLOB NOT NULL) STRICT;

-- Records whose whole state is to be asked for, since a change came that could not be applied.
CREATE TABLE wanted(id BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;

-- Texts as they were shown until the context grew past `context`: a form opened then is diffed against them.
CREATE TABLE past_text(no INTEGER PRIMARY KEY, record INTEGER NOT NULL, field TEXT NOT NULL, context BLOB NOT NULL, structure BLOB NOT NULL, shown TEXT NOT NULL) STRICT;
CREATE INDEX past_text_record ON past_text(record, field);

-- Full-text search, outside the save. unindexed: records up to head.indexed whose words have changed since.
CREATE VIRTUAL TABLE words USING fts5(body, content='', contentless_delete=1, detail='full', tokenize='unicode61 remove_diacritics 2', prefix='3');
CREATE TABLE unindexed(record INTEGER PRIMARY KEY) STRICT;

CREATE TABLE log(no INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, what TEXT NOT NULL) STRICT;
