-- readable by: 4
-- Token exchanges (RFC 8693): one row for each combination of subject, actors and app. The tokens of a row begin with its id, so that
-- one entry of the revocation view ends them. `root` is what the first subject token began with, which bounds the rows of one sign-in;
-- `combination` is a digest of what the row stands for.
CREATE TABLE exchanges (
  id TEXT NOT NULL PRIMARY KEY,
  combination TEXT NOT NULL,
  root TEXT NOT NULL,
  account_id TEXT,
  subject TEXT NOT NULL,
  actor TEXT,
  client_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended_at BIGINT
);
CREATE INDEX exchanges_combination ON exchanges (combination);
CREATE INDEX exchanges_root ON exchanges (root);
CREATE INDEX exchanges_account ON exchanges (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX exchanges_expires ON exchanges (expires_at);
-- What ends a row: the ids of grants, API keys, trusted issuers, exchanges, people and apps that it rests on.
CREATE TABLE exchange_ends (
  ref TEXT NOT NULL,
  exchange_id TEXT NOT NULL REFERENCES exchanges (id) ON DELETE CASCADE,
  PRIMARY KEY (ref, exchange_id)
);
CREATE INDEX exchange_ends_exchange ON exchange_ends (exchange_id);
