-- Version 1 of a server's store. Frozen: a change of shape is a new file.

CREATE TABLE setting(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- The directory, as provisioned.
CREATE TABLE unit(id TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE file(id TEXT PRIMARY KEY, unit TEXT NOT NULL REFERENCES unit(id), label TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE partner(id TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE user(id TEXT PRIMARY KEY, name TEXT NOT NULL, language TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE assignment(
    user TEXT NOT NULL REFERENCES user(id),
    role TEXT NOT NULL,
    target TEXT NOT NULL,
    from_day TEXT NOT NULL,
    until_day TEXT,
    PRIMARY KEY (user, role, target, from_day)
) STRICT, WITHOUT ROWID;
CREATE TABLE record_type(name TEXT PRIMARY KEY, version INTEGER NOT NULL, source TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- seq and rolling: the last entry of the scope's own gapless sequence.
CREATE TABLE scope(
    no INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    label TEXT NOT NULL,
    section TEXT NOT NULL,
    target TEXT NOT NULL,
    kind TEXT NOT NULL,
    seq INTEGER NOT NULL DEFAULT 0,
    rolling BLOB NOT NULL
) STRICT;

CREATE TABLE enrol_code(hash BLOB PRIMARY KEY, user TEXT NOT NULL, expires_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
CREATE TABLE device(
    no INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    key BLOB NOT NULL,
    user TEXT NOT NULL,
    enrolled_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL DEFAULT 0,
    offset_ms INTEGER NOT NULL DEFAULT 0,
    nonce BLOB NOT NULL DEFAULT x'',
    nonce_before BLOB NOT NULL DEFAULT x'',
    cursors BLOB NOT NULL DEFAULT x'',
    recovery BLOB NOT NULL DEFAULT x''
) STRICT;
CREATE TABLE replica(no INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, device INTEGER NOT NULL REFERENCES device(no)) STRICT;

CREATE TABLE feed(replica INTEGER NOT NULL, scope INTEGER NOT NULL, counter INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (replica, scope)) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoint(
    replica INTEGER NOT NULL,
    scope INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    hash BLOB NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (replica, scope, counter)
) STRICT, WITHOUT ROWID;

CREATE TABLE record(
    no INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    scope INTEGER NOT NULL REFERENCES scope(no),
    type TEXT NOT NULL,
    flags INTEGER NOT NULL,
    review INTEGER NOT NULL,
    doc TEXT NOT NULL,
    meta BLOB NOT NULL
) STRICT;
CREATE INDEX record_scope ON record(scope, no);

-- Accepted changes, in their scopes' order: place = scope.no << 40 | sequence. rolling: the scope's hash after this entry.
CREATE TABLE change(
    place INTEGER PRIMARY KEY,
    replica INTEGER NOT NULL,
    record INTEGER NOT NULL,
    stamp INTEGER NOT NULL,
    header BLOB NOT NULL,
    salt BLOB NOT NULL,
    content BLOB NOT NULL,
    hash BLOB NOT NULL,
    rolling BLOB NOT NULL
) STRICT;
CREATE INDEX change_record ON change(record);
-- What was not accepted is kept as well. record: its id, for what is held until something it has seen arrives.
CREATE TABLE rejected(
    no INTEGER PRIMARY KEY,
    replica INTEGER NOT NULL,
    scope INTEGER NOT NULL,
    record BLOB NOT NULL,
    reason TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    header BLOB NOT NULL,
    salt BLOB NOT NULL,
    content BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;

-- The verdict on every dot. place: of the accepted change, or rejected.no.
CREATE TABLE dot(
    replica INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    verdict INTEGER NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (replica, counter)
) STRICT, WITHOUT ROWID;
CREATE INDEX dot_held ON dot(replica) WHERE verdict = 5;

CREATE TABLE decision(no INTEGER PRIMARY KEY, before BLOB NOT NULL, body BLOB NOT NULL, signature BLOB NOT NULL) STRICT;
CREATE TABLE audit(no INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, what TEXT NOT NULL) STRICT;
