-- readable by: 4
-- An account at an OpenID provider is a row of `factors` (kind provider; `code_hash` is the SHA-256 of the issuer) and one of this table.
CREATE TABLE external_identities (
  factor_id TEXT NOT NULL PRIMARY KEY REFERENCES factors (id) ON DELETE CASCADE,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  email TEXT NOT NULL,
  last_used_at BIGINT
);
CREATE UNIQUE INDEX external_identities_subject ON external_identities (issuer, subject);
-- One that nobody here has yet: at most one for each browser, until its owner has signed in.
CREATE TABLE pending_identities (
  browser_hash BLOB NOT NULL PRIMARY KEY,
  sign_in_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  email TEXT NOT NULL,
  taken BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX pending_identities_expires ON pending_identities (expires_at);
