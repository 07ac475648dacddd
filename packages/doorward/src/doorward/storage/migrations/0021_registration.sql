-- readable by: 4
-- Apps that no operator registered. They are not part of the configuration snapshot, and a program that does not know these tables
-- refuses them. `token_hash` is the SHA-256 of the registration access token.
CREATE TABLE registered_apps (
  id TEXT NOT NULL PRIMARY KEY,
  doc TEXT NOT NULL,
  token_hash BLOB NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  initial_token_id TEXT,
  used_at BIGINT,
  disabled_at BIGINT
);
CREATE INDEX registered_apps_expires ON registered_apps (expires_at);
-- Client-ID metadata documents: the last good copy of each.
CREATE TABLE client_documents (
  url TEXT NOT NULL PRIMARY KEY,
  doc TEXT,
  fetched_at BIGINT NOT NULL,
  fresh_until BIGINT NOT NULL,
  tried_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  problem TEXT,
  used_at BIGINT,
  pinned_at BIGINT,
  disabled_at BIGINT
);
CREATE INDEX client_documents_expires ON client_documents (expires_at) WHERE pinned_at IS NULL AND disabled_at IS NULL;
CREATE TABLE initial_access_tokens (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  token_hash BLOB NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  most BIGINT NOT NULL,
  used BIGINT NOT NULL,
  redirect_hosts TEXT NOT NULL,
  grant_types TEXT NOT NULL,
  access TEXT NOT NULL
);
CREATE UNIQUE INDEX initial_access_tokens_hash ON initial_access_tokens (token_hash);
CREATE INDEX initial_access_tokens_expires ON initial_access_tokens (expires_at);
