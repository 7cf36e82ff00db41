CREATE TABLE leases (
  name VARCHAR(64) NOT NULL,
  owner VARCHAR(256) NOT NULL,
  until DATETIME NOT NULL,
  PRIMARY KEY (name)
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
CREATE INDEX ix_runs_stage ON runs (stage);
CREATE INDEX ix_runs_started_at ON runs (started_at);
