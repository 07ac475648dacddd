-- The first schema. Types are TEXT, BIGINT and BLOB only, so that every engine has them; times are seconds since the epoch.
-- What one engine alone needs stands beside this file under the engine's name.

CREATE TABLE meta (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);

-- One row per number that must grow in commit order. Taking the next one locks the row until the transaction ends, so nobody
-- can see number 8 before number 7, and no number returns when its row has been swept away.
CREATE TABLE counters (
  name TEXT NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('registry', 1);
INSERT INTO counters (name, value) VALUES ('revocations', 0);

-- People

CREATE TABLE accounts (
  id TEXT NOT NULL PRIMARY KEY,
  email TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  name TEXT,
  locale TEXT,
  password_hash TEXT,
  password_changed_at BIGINT,
  disabled_at BIGINT,
  role_names TEXT NOT NULL
);
CREATE UNIQUE INDEX accounts_email ON accounts (email);

CREATE TABLE factors (
  id TEXT NOT NULL PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  sealed BLOB,
  code_hash BLOB,
  last_step BIGINT,
  used_at BIGINT
);
CREATE INDEX factors_account ON factors (account_id);

-- What is configured

CREATE TABLE clients (
  id TEXT NOT NULL PRIMARY KEY,
  doc TEXT NOT NULL
);

CREATE TABLE apis (
  id TEXT NOT NULL PRIMARY KEY,
  identifier TEXT NOT NULL,
  doc TEXT NOT NULL
);
CREATE UNIQUE INDEX apis_identifier ON apis (identifier);

CREATE TABLE roles (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  doc TEXT NOT NULL
);
CREATE UNIQUE INDEX roles_name ON roles (name);

CREATE TABLE signing_keys (
  id TEXT NOT NULL PRIMARY KEY,
  alg TEXT NOT NULL,
  state TEXT NOT NULL,
  public_jwk TEXT NOT NULL,
  sealed BLOB NOT NULL,
  created_at BIGINT NOT NULL,
  activated_at BIGINT,
  retired_at BIGINT
);
-- Two processes that start on an empty database must not both make the current key.
CREATE UNIQUE INDEX signing_keys_current ON signing_keys (alg) WHERE state = 'current';

-- Sign-ins and sessions

CREATE TABLE sign_ins (
  id TEXT NOT NULL PRIMARY KEY,
  handle_hash BLOB,
  account_id TEXT,
  expires_at BIGINT NOT NULL,
  doc TEXT NOT NULL
);
CREATE UNIQUE INDEX sign_ins_handle ON sign_ins (handle_hash) WHERE handle_hash IS NOT NULL;
CREATE INDEX sign_ins_account ON sign_ins (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX sign_ins_expires ON sign_ins (expires_at);

CREATE TABLE sessions (
  id TEXT NOT NULL PRIMARY KEY,
  secret_hash BLOB NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  auth_time BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  acr TEXT NOT NULL,
  amr TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  address TEXT NOT NULL,
  ended_at BIGINT,
  end_reason TEXT
);
CREATE UNIQUE INDEX sessions_secret ON sessions (secret_hash);
CREATE INDEX sessions_account ON sessions (account_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE consents (
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  client_id TEXT NOT NULL,
  audience TEXT NOT NULL,
  scopes TEXT NOT NULL,
  granted_at BIGINT NOT NULL,
  PRIMARY KEY (account_id, client_id, audience)
);

CREATE TABLE trusted_devices (
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  device_hash BLOB NOT NULL,
  trusted_at BIGINT NOT NULL,
  PRIMARY KEY (account_id, device_hash)
);
CREATE INDEX trusted_devices_age ON trusted_devices (trusted_at);

-- What apps hold. A grant outlives its account's row: its tokens must stay recognisable as ended until they expire.

CREATE TABLE grants (
  id TEXT NOT NULL PRIMARY KEY,
  client_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  audience TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  auth_time BIGINT NOT NULL,
  acr TEXT NOT NULL,
  amr TEXT NOT NULL,
  session_id TEXT,
  offline BIGINT NOT NULL,
  nonce TEXT,
  claims TEXT NOT NULL,
  status_list BIGINT,
  status_index BIGINT,
  ended_at BIGINT,
  end_reason TEXT
);
CREATE INDEX grants_account ON grants (account_id);
CREATE INDEX grants_session ON grants (session_id) WHERE session_id IS NOT NULL;
-- of an app that goes, only what is not ended yet is looked for, batch after batch
CREATE INDEX grants_client ON grants (client_id, id) WHERE ended_at IS NULL;
CREATE INDEX grants_expires ON grants (expires_at);
CREATE UNIQUE INDEX grants_status ON grants (status_list, status_index) WHERE status_list IS NOT NULL;

-- Apps that were deleted with more grants than one commit should end: the sweep ends the rest.
CREATE TABLE departed_clients (
  client_id TEXT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  reason TEXT NOT NULL
);

CREATE TABLE authorization_codes (
  hash BLOB NOT NULL PRIMARY KEY,
  grant_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  redirect_uri TEXT,
  code_challenge TEXT,
  redeemed_at BIGINT
);
CREATE INDEX authorization_codes_expires ON authorization_codes (expires_at);

-- One row for each grant, changed in place at every refresh: what it costs grows with the tokens that live, not with how often
-- they were renewed. `recent` holds the few spent ones that may still be on their way.
CREATE TABLE refresh_tokens (
  grant_id TEXT NOT NULL PRIMARY KEY,
  family_hash BLOB NOT NULL,
  generation BIGINT NOT NULL,
  hash BLOB NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  recent BLOB NOT NULL
);
CREATE INDEX refresh_tokens_expires ON refresh_tokens (expires_at);

CREATE TABLE revocations (
  seq BIGINT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  ref TEXT NOT NULL,
  at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  before_at BIGINT
);
CREATE INDEX revocations_expires ON revocations (expires_at);

-- Throttling, and things seen once only

CREATE TABLE attempts (
  bucket TEXT NOT NULL PRIMARY KEY,
  tries BIGINT NOT NULL,
  ends_at BIGINT NOT NULL
);
CREATE INDEX attempts_ends ON attempts (ends_at);

CREATE TABLE claimed (
  space TEXT NOT NULL,
  value TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (space, value)
);
CREATE INDEX claimed_expires ON claimed (expires_at);

-- Messages

CREATE TABLE tickets (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  email TEXT NOT NULL,
  code_hash BLOB NOT NULL,
  link_hash BLOB NOT NULL,
  browser_hash BLOB NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  account_id TEXT,
  sign_in_id TEXT,
  payload TEXT NOT NULL,
  tries BIGINT NOT NULL,
  proven_at BIGINT,
  used_at BIGINT
);
CREATE UNIQUE INDEX tickets_link ON tickets (link_hash);
CREATE INDEX tickets_account ON tickets (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX tickets_expires ON tickets (expires_at);

CREATE TABLE outgoing_mail (
  id TEXT NOT NULL PRIMARY KEY,
  recipient TEXT NOT NULL,
  kind TEXT NOT NULL,
  sealed BLOB NOT NULL,
  created_at BIGINT NOT NULL,
  next_try_at BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  sent_at BIGINT,
  failed_at BIGINT
);
CREATE INDEX outgoing_mail_due ON outgoing_mail (next_try_at) WHERE sent_at IS NULL AND failed_at IS NULL;
CREATE INDEX outgoing_mail_age ON outgoing_mail (created_at);

CREATE TABLE logout_notices (
  id TEXT NOT NULL PRIMARY KEY,
  client_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  next_try_at BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  sent_at BIGINT,
  failed_at BIGINT
);
CREATE INDEX logout_notices_due ON logout_notices (next_try_at) WHERE sent_at IS NULL AND failed_at IS NULL;
CREATE INDEX logout_notices_age ON logout_notices (created_at);

-- The record. It refers to nothing, so that nothing that is deleted takes a line of it along.

CREATE TABLE audit (
  id TEXT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  kind TEXT NOT NULL,
  ok BIGINT NOT NULL,
  account_id TEXT,
  client_id TEXT,
  session_id TEXT,
  grant_id TEXT,
  address TEXT,
  user_agent TEXT,
  request_id TEXT,
  detail TEXT NOT NULL
);
CREATE INDEX audit_account ON audit (account_id, id) WHERE account_id IS NOT NULL;
CREATE INDEX audit_kind ON audit (kind, id);
