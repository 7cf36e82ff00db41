"""Tables of the embedded engine. A change here or in LAYOUT raises INDEX_VERSION: a new file is filled.

Documents are numbered in the order of their arrival. Words and tags lie in `fts` under that number,
what is counted lies packed in `sheets` (index/sqlite_sheets.py), what pages show in `mentions`.
"""

from __future__ import annotations

from index.body import FIELDS

INDEX_VERSION = 4

# Every ASCII mark but quotes is part of a token, as in a whitespace tokenizer: `5.1`, `c++` and
# `b:x` stay whole; all other code points are token characters of `ascii` anyway.
TOKEN_CHARS = "!#$%&()*+,-./:;<=>?@[\\]^_`{|}~"  # noqa: S105  # no secret

# One document in a sheet, in struct's letters: what each number is says sqlite_sheets.RECORD.
RECORD = "<qqQQqdIIIBB"
# Documents of one part of a sheet: with its head it fills a page of 4,096 bytes, and the keywords of two
# parts fill another where posts have eight.
PART = 64

DDL = f"""
CREATE TABLE IF NOT EXISTS mentions (row INTEGER PRIMARY KEY, doc BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS ids (
    id TEXT PRIMARY KEY, row INTEGER NOT NULL, sig BLOB NOT NULL, state BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen (
    row INTEGER PRIMARY KEY, collected_at INTEGER NOT NULL, likes INTEGER, comments INTEGER,
    reposts INTEGER, views INTEGER, rating REAL, followers INTEGER, address INTEGER
);
CREATE VIRTUAL TABLE IF NOT EXISTS fts USING fts5 (
    tokens, title_tokens, tags, content='', columnsize=0,
    tokenize="ascii tokenchars '{TOKEN_CHARS}'"
);
CREATE TABLE IF NOT EXISTS sheets (key INTEGER PRIMARY KEY, facts BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS sheet_words (key INTEGER PRIMARY KEY, words BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS sheet_heads (key INTEGER PRIMARY KEY, heads BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS zones (
    key INTEGER PRIMARY KEY, published_lo INTEGER, published_hi INTEGER, seen_lo INTEGER,
    seen_hi INTEGER
);
CREATE TABLE IF NOT EXISTS codes (
    code INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, value TEXT NOT NULL,
    UNIQUE (kind, value)
);
CREATE TABLE IF NOT EXISTS tagsets (hash INTEGER PRIMARY KEY, tags TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS severe (
    row INTEGER PRIMARY KEY, first_seen_at INTEGER NOT NULL, place INTEGER NOT NULL,
    severity REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS severe_seen ON severe (first_seen_at);
CREATE TABLE IF NOT EXISTS vectors (
    row INTEGER PRIMARY KEY, story TEXT NOT NULL, place INTEGER NOT NULL, vector BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS vectors_story ON vectors (story, place);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT OR IGNORE INTO meta VALUES
    ('generation', 0), ('version', {INDEX_VERSION}), ('epoch', 0), ('latest', NULL),
    ('next', 1);
"""
LAYOUT = (DDL, FIELDS, RECORD, PART)
