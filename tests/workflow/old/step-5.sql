CREATE TABLE account_sessions (
  token_hash VARCHAR(64) NOT NULL,
  name VARCHAR(64) NOT NULL,
  address VARCHAR(64) NOT NULL,
  opened_at DATETIME NOT NULL,
  seen_at DATETIME NOT NULL,
  PRIMARY KEY (token_hash)
);
CREATE TABLE accounts (
  name VARCHAR(64) NOT NULL,
  role VARCHAR(16) NOT NULL,
  brands JSON NOT NULL,
  password TEXT NOT NULL,
  one_time BOOLEAN NOT NULL,
  active BOOLEAN NOT NULL,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (name)
);
CREATE TABLE audit_log (
  seq INTEGER NOT NULL,
  at DATETIME NOT NULL,
  who VARCHAR(64) NOT NULL,
  what VARCHAR(64) NOT NULL,
  object VARCHAR(256) NOT NULL,
  address VARCHAR(64) NOT NULL,
  result VARCHAR(64) NOT NULL,
  previous VARCHAR(64) NOT NULL,
  hash VARCHAR(64) NOT NULL,
  PRIMARY KEY (seq)
);
CREATE TABLE crawl_seen (
  post_id VARCHAR(512) NOT NULL,
  text_hash VARCHAR(64) NOT NULL,
  first_seen_at DATETIME NOT NULL,
  PRIMARY KEY (post_id)
);
CREATE TABLE crawl_states (
  source VARCHAR(128) NOT NULL,
  state VARCHAR(32) NOT NULL,
  since DATETIME NOT NULL,
  verdict VARCHAR(32) NOT NULL,
  repeats INTEGER NOT NULL,
  run_id VARCHAR(64) NOT NULL,
  last_ok_at DATETIME,
  newest_post_at DATETIME,
  landed_files INTEGER NOT NULL,
  PRIMARY KEY (source)
);
CREATE TABLE crawl_targets (
  source VARCHAR(128) NOT NULL,
  kind VARCHAR(32) NOT NULL,
  "key" VARCHAR(256) NOT NULL,
  covered_at DATETIME,
  gap_url TEXT,
  gap_seen_at DATETIME,
  tried_at DATETIME,
  wait_until DATETIME,
  had_posts INTEGER NOT NULL,
  validators JSON NOT NULL,
  PRIMARY KEY (source, kind, "key")
);
CREATE TABLE crawl_threads (
  source VARCHAR(128) NOT NULL,
  kind VARCHAR(32) NOT NULL,
  tid VARCHAR(256) NOT NULL,
  state VARCHAR(16) NOT NULL,
  mark VARCHAR(256) NOT NULL,
  url TEXT NOT NULL,
  listed_at DATETIME NOT NULL,
  PRIMARY KEY (source, kind, tid)
);
CREATE TABLE incident_log (
  seq INTEGER NOT NULL,
  incident VARCHAR(32) NOT NULL,
  at DATETIME NOT NULL,
  who VARCHAR(128) NOT NULL,
  act VARCHAR(32) NOT NULL,
  reason TEXT NOT NULL,
  revision INTEGER NOT NULL,
  previous VARCHAR(64) NOT NULL,
  hash VARCHAR(64) NOT NULL,
  PRIMARY KEY (seq)
);
CREATE TABLE incident_posts (
  incident VARCHAR(32) NOT NULL,
  post_id VARCHAR(512) NOT NULL,
  PRIMARY KEY (incident, post_id),
  FOREIGN KEY(incident) REFERENCES incidents (id)
);
CREATE TABLE incidents (
  id VARCHAR(32) NOT NULL,
  brand VARCHAR(64) NOT NULL,
  scope VARCHAR(128) NOT NULL,
  state VARCHAR(16) NOT NULL,
  opened_at DATETIME NOT NULL,
  changed_at DATETIME NOT NULL,
  revision INTEGER NOT NULL,
  body JSON NOT NULL,
  PRIMARY KEY (id)
);
CREATE TABLE leases (
  name VARCHAR(64) NOT NULL,
  owner VARCHAR(256) NOT NULL,
  until DATETIME NOT NULL,
  PRIMARY KEY (name)
);
CREATE TABLE nlp_author_calls (
  post_id VARCHAR(512) NOT NULL,
  at_s BIGINT NOT NULL,
  PRIMARY KEY (post_id)
);
CREATE TABLE nlp_author_company (
  author VARCHAR(128) NOT NULL,
  story VARCHAR(512) NOT NULL,
  linked BOOLEAN NOT NULL,
  at_s BIGINT NOT NULL,
  others TEXT NOT NULL,
  PRIMARY KEY (author, story)
);
CREATE TABLE nlp_author_marks (
  author VARCHAR(128) NOT NULL,
  code VARCHAR(32) NOT NULL,
  at_s BIGINT NOT NULL,
  PRIMARY KEY (author, code)
);
CREATE TABLE nlp_author_tellings (
  post_id VARCHAR(512) NOT NULL,
  story VARCHAR(512) NOT NULL,
  author VARCHAR(128) NOT NULL,
  at_s BIGINT NOT NULL,
  linked BOOLEAN NOT NULL,
  exact BOOLEAN NOT NULL,
  new BOOLEAN NOT NULL,
  PRIMARY KEY (post_id)
);
CREATE TABLE nlp_authors (
  author VARCHAR(128) NOT NULL,
  first_at_s BIGINT NOT NULL,
  last_at_s BIGINT NOT NULL,
  posts TEXT NOT NULL,
  PRIMARY KEY (author)
);
CREATE TABLE nlp_batch_files (
  file VARCHAR(512) NOT NULL,
  batch_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (file),
  FOREIGN KEY(batch_id) REFERENCES nlp_batches (batch_id)
);
CREATE TABLE nlp_batches (
  seq INTEGER NOT NULL,
  batch_id VARCHAR(64) NOT NULL,
  mention_file VARCHAR(512) NOT NULL,
  scored_at DATETIME NOT NULL,
  loaded_at DATETIME,
  PRIMARY KEY (seq),
  UNIQUE (batch_id)
);
CREATE TABLE nlp_corrections (
  seq INTEGER NOT NULL,
  post VARCHAR(512) NOT NULL,
  field VARCHAR(160) NOT NULL,
  was VARCHAR(64) NOT NULL,
  "to" VARCHAR(64) NOT NULL,
  "by" VARCHAR(128) NOT NULL,
  at DATETIME NOT NULL,
  reason TEXT NOT NULL,
  stamp VARCHAR(256) NOT NULL,
  story VARCHAR(512) NOT NULL,
  PRIMARY KEY (seq)
);
CREATE TABLE nlp_event_brands (
  brand VARCHAR(128) NOT NULL,
  total BLOB NOT NULL,
  weight FLOAT NOT NULL,
  pulse FLOAT NOT NULL,
  pulse_at_s BIGINT NOT NULL,
  first_at_s BIGINT NOT NULL,
  PRIMARY KEY (brand)
);
CREATE TABLE nlp_event_history (
  seq INTEGER NOT NULL,
  kind VARCHAR(8) NOT NULL,
  event VARCHAR(32) NOT NULL,
  other VARCHAR(32) NOT NULL,
  at_s BIGINT NOT NULL,
  PRIMARY KEY (seq)
);
CREATE TABLE nlp_event_likeness (
  elder VARCHAR(32) NOT NULL,
  younger VARCHAR(32) NOT NULL,
  PRIMARY KEY (elder, younger)
);
CREATE TABLE nlp_event_links (
  seq INTEGER NOT NULL,
  kind VARCHAR(8) NOT NULL,
  brand VARCHAR(128) NOT NULL,
  story VARCHAR(512) NOT NULL,
  others TEXT NOT NULL,
  name TEXT NOT NULL,
  "by" VARCHAR(128) NOT NULL,
  at DATETIME NOT NULL,
  "after" INTEGER NOT NULL,
  PRIMARY KEY (seq)
);
CREATE TABLE nlp_event_names (
  event VARCHAR(32) NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (event)
);
CREATE TABLE nlp_event_obeyed (
  link INTEGER NOT NULL,
  event VARCHAR(32) NOT NULL,
  other VARCHAR(32) NOT NULL,
  PRIMARY KEY (link)
);
CREATE TABLE nlp_event_stars (
  event VARCHAR(32) NOT NULL,
  story VARCHAR(512) NOT NULL,
  post_id VARCHAR(512) NOT NULL,
  terms TEXT NOT NULL,
  vector BLOB,
  joined INTEGER NOT NULL,
  PRIMARY KEY (event, story)
);
CREATE TABLE nlp_event_stories (
  brand VARCHAR(128) NOT NULL,
  story VARCHAR(512) NOT NULL,
  event VARCHAR(32) NOT NULL,
  star VARCHAR(512) NOT NULL,
  similarity FLOAT NOT NULL,
  PRIMARY KEY (brand, story)
);
CREATE TABLE nlp_event_sums (
  event VARCHAR(32) NOT NULL,
  total BLOB NOT NULL,
  told INTEGER NOT NULL,
  negative FLOAT NOT NULL,
  pulse FLOAT NOT NULL,
  pulse_at_s BIGINT NOT NULL,
  PRIMARY KEY (event)
);
CREATE TABLE nlp_event_threads (
  brand VARCHAR(128) NOT NULL,
  thread VARCHAR(512) NOT NULL,
  event VARCHAR(32) NOT NULL,
  PRIMARY KEY (brand, thread)
);
CREATE TABLE nlp_event_vectors (
  brand VARCHAR(128) NOT NULL,
  story VARCHAR(512) NOT NULL,
  post_id VARCHAR(512) NOT NULL,
  scored_at_s BIGINT NOT NULL,
  vector BLOB NOT NULL,
  PRIMARY KEY (brand, story)
);
CREATE TABLE nlp_events (
  id VARCHAR(32) NOT NULL,
  brand VARCHAR(128) NOT NULL,
  name TEXT NOT NULL,
  first_story VARCHAR(512) NOT NULL,
  first_at_s BIGINT NOT NULL,
  last_at_s BIGINT NOT NULL,
  scored_at_s BIGINT NOT NULL,
  stories INTEGER NOT NULL,
  PRIMARY KEY (id)
);
CREATE TABLE nlp_stories (
  fingerprint VARCHAR(32) NOT NULL,
  story VARCHAR(512) NOT NULL,
  PRIMARY KEY (fingerprint)
);
CREATE TABLE nlp_story_keys (
  batch_id VARCHAR(64) NOT NULL,
  scored_at_s BIGINT NOT NULL,
  stories TEXT NOT NULL,
  keys BLOB NOT NULL,
  PRIMARY KEY (batch_id)
);
CREATE TABLE nlp_story_platforms (
  brand VARCHAR(128) NOT NULL,
  story VARCHAR(512) NOT NULL,
  platform VARCHAR(64) NOT NULL,
  first_at_s BIGINT NOT NULL,
  first_post VARCHAR(512),
  posts INTEGER NOT NULL,
  PRIMARY KEY (brand, story, platform)
);
CREATE TABLE nlp_story_posts (
  post_id VARCHAR(512) NOT NULL,
  story VARCHAR(512) NOT NULL,
  PRIMARY KEY (post_id)
);
CREATE TABLE nlp_story_texts (
  story VARCHAR(512) NOT NULL,
  scored_at_s BIGINT NOT NULL,
  at_s BIGINT NOT NULL,
  grams BLOB NOT NULL,
  facts BLOB NOT NULL,
  PRIMARY KEY (story)
);
CREATE TABLE nlp_voices (
  story VARCHAR(512) NOT NULL,
  author VARCHAR(512) NOT NULL,
  post_id VARCHAR(512) NOT NULL,
  PRIMARY KEY (story, author)
);
CREATE TABLE notification_attempts (
  seq INTEGER NOT NULL,
  notification VARCHAR(256) NOT NULL,
  at DATETIME NOT NULL,
  kind VARCHAR(16) NOT NULL,
  code VARCHAR(64) NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (seq)
);
CREATE TABLE notifications (
  id VARCHAR(256) NOT NULL,
  incident VARCHAR(32) NOT NULL,
  receiver VARCHAR(64) NOT NULL,
  channel VARCHAR(16) NOT NULL,
  reason VARCHAR(32) NOT NULL,
  payload JSON NOT NULL,
  content_hash VARCHAR(64) NOT NULL,
  created_at DATETIME NOT NULL,
  state VARCHAR(16) NOT NULL,
  lease_until DATETIME,
  next_try_at DATETIME NOT NULL,
  attempts INTEGER NOT NULL,
  error_class VARCHAR(16) NOT NULL,
  error_code VARCHAR(64) NOT NULL,
  sent_by VARCHAR(16) NOT NULL,
  accepted_at DATETIME,
  PRIMARY KEY (id)
);
CREATE TABLE runs (
  run_id VARCHAR(64) NOT NULL,
  stage VARCHAR(32) NOT NULL,
  source VARCHAR(128),
  "trigger" VARCHAR(64) NOT NULL,
  started_at DATETIME NOT NULL,
  ended_at DATETIME,
  outcome VARCHAR(64) NOT NULL,
  counts JSON NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (run_id)
);
CREATE TABLE workflow_steps (
  number INTEGER NOT NULL,
  name VARCHAR(128) NOT NULL,
  PRIMARY KEY (number)
);
CREATE INDEX ix_account_sessions_name ON account_sessions (name);
CREATE INDEX ix_audit_log_at ON audit_log (at);
CREATE INDEX ix_crawl_threads_state ON crawl_threads (state);
CREATE INDEX ix_incident_log_incident ON incident_log (incident);
CREATE INDEX ix_incidents_brand ON incidents (brand);
CREATE INDEX ix_incidents_state ON incidents (state);
CREATE INDEX ix_nlp_author_calls_at_s ON nlp_author_calls (at_s);
CREATE INDEX ix_nlp_author_company_at_s ON nlp_author_company (at_s);
CREATE INDEX ix_nlp_author_marks_at_s ON nlp_author_marks (at_s);
CREATE INDEX ix_nlp_author_tellings_at_s ON nlp_author_tellings (at_s);
CREATE INDEX ix_nlp_author_tellings_author ON nlp_author_tellings (author);
CREATE INDEX ix_nlp_authors_last_at_s ON nlp_authors (last_at_s);
CREATE INDEX ix_nlp_corrections_post ON nlp_corrections (post);
CREATE INDEX ix_nlp_event_history_event ON nlp_event_history (event);
CREATE INDEX ix_nlp_event_history_other ON nlp_event_history (other);
CREATE INDEX ix_nlp_event_obeyed_event ON nlp_event_obeyed (event);
CREATE INDEX ix_nlp_event_obeyed_other ON nlp_event_obeyed (other);
CREATE INDEX ix_nlp_event_stories_event ON nlp_event_stories (event);
CREATE INDEX ix_nlp_event_threads_event ON nlp_event_threads (event);
CREATE INDEX ix_nlp_event_vectors_post_id ON nlp_event_vectors (post_id);
CREATE INDEX ix_nlp_story_platforms_first_post ON nlp_story_platforms (first_post);
CREATE INDEX ix_nlp_story_texts_scored_at_s ON nlp_story_texts (scored_at_s);
CREATE INDEX ix_notification_attempts_notification ON notification_attempts (notification);
CREATE INDEX ix_notifications_incident ON notifications (incident);
CREATE INDEX ix_notifications_state ON notifications (state);
CREATE INDEX ix_runs_stage ON runs (stage);
CREATE INDEX ix_runs_started_at ON runs (started_at);
CREATE INDEX nlp_author_tellings_story ON nlp_author_tellings (story, at_s);
CREATE INDEX nlp_event_vectors_age ON nlp_event_vectors (scored_at_s);
CREATE INDEX nlp_events_active ON nlp_events (brand, last_at_s);
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
CREATE TRIGGER incident_log_no_delete BEFORE DELETE ON incident_log BEGIN SELECT RAISE(ABORT, 'incident_log is append-only'); END;
CREATE TRIGGER incident_log_no_update BEFORE UPDATE ON incident_log BEGIN SELECT RAISE(ABORT, 'incident_log is append-only'); END;
CREATE TRIGGER nlp_event_links_no_delete BEFORE DELETE ON nlp_event_links BEGIN SELECT RAISE(ABORT, 'nlp_event_links is append-only'); END;
CREATE TRIGGER nlp_event_links_no_update BEFORE UPDATE ON nlp_event_links BEGIN SELECT RAISE(ABORT, 'nlp_event_links is append-only'); END;
CREATE UNIQUE INDEX one_live_incident ON incidents (brand, scope) WHERE state IN ('open', 'acknowledged', 'handling', 'watching');
