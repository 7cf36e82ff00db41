"""Tables of the embedded engine. A change here raises INDEX_VERSION: the file is rebuilt."""

from __future__ import annotations

INDEX_VERSION = 2

# Every ASCII mark but quotes is part of a token, as in a whitespace tokenizer: `5.1`, `c++` and
# `b:x` stay whole; all other code points are token characters of `ascii` anyway.
TOKEN_CHARS = "!#$%&()*+,-./:;<=>?@[\\]^_`{|}~"  # noqa: S105  # no secret

DDL = f"""
CREATE TABLE IF NOT EXISTS mentions (
    rowid INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, published_at INTEGER NOT NULL,
    first_seen_at INTEGER NOT NULL, collected_at INTEGER NOT NULL, timed INTEGER NOT NULL,
    polarity TEXT NOT NULL, voice INTEGER NOT NULL, story TEXT NOT NULL, author TEXT NOT NULL,
    source TEXT NOT NULL, risk REAL NOT NULL, severity REAL NOT NULL, tokens TEXT NOT NULL,
    title_tokens TEXT NOT NULL, tags TEXT NOT NULL, keywords TEXT NOT NULL, sig TEXT NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS mentions_seen ON mentions (first_seen_at);
CREATE INDEX IF NOT EXISTS mentions_severe ON mentions (first_seen_at) WHERE severity > 0;
CREATE VIRTUAL TABLE IF NOT EXISTS fts USING fts5 (
    tokens, title_tokens, tags, content='mentions', content_rowid='rowid',
    tokenize="ascii tokenchars '{TOKEN_CHARS}'"
);
CREATE TRIGGER IF NOT EXISTS mentions_in AFTER INSERT ON mentions BEGIN
    INSERT INTO fts (rowid, tokens, title_tokens, tags)
    VALUES (new.rowid, new.tokens, new.title_tokens, new.tags);
END;
CREATE TRIGGER IF NOT EXISTS mentions_out AFTER DELETE ON mentions BEGIN
    INSERT INTO fts (fts, rowid, tokens, title_tokens, tags)
    VALUES ('delete', old.rowid, old.tokens, old.title_tokens, old.tags);
    DELETE FROM facts WHERE rowid_ = old.rowid;
    DELETE FROM seen WHERE rowid = old.rowid;
    DELETE FROM vectors WHERE rowid = old.rowid;
END;
CREATE TABLE IF NOT EXISTS facts (
    brand TEXT NOT NULL, published_at INTEGER NOT NULL, rowid_ INTEGER NOT NULL,
    first_seen_at INTEGER NOT NULL, source TEXT NOT NULL, negative INTEGER NOT NULL,
    positive INTEGER NOT NULL, voice INTEGER NOT NULL, timed INTEGER NOT NULL,
    PRIMARY KEY (brand, published_at, rowid_)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS facts_row ON facts (rowid_);
CREATE TABLE IF NOT EXISTS seen (
    rowid INTEGER PRIMARY KEY, collected_at INTEGER NOT NULL, likes INTEGER, comments INTEGER,
    reposts INTEGER, views INTEGER, rating REAL, followers INTEGER
);
CREATE TABLE IF NOT EXISTS vectors (
    rowid INTEGER PRIMARY KEY, story TEXT NOT NULL, vector BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS vectors_story ON vectors (story);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
INSERT OR IGNORE INTO meta VALUES ('generation', 0), ('version', {INDEX_VERSION});
"""
