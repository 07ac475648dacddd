-- readable by: 4
-- Requests of devices without a browser (RFC 8628). device_hash is the SHA-256 of the device code; user_tag is a keyed hash of the
-- user code, which user_code holds sealed. account_id and grant_id belong to the person who allowed it.
CREATE TABLE device_authorizations (
  id TEXT NOT NULL PRIMARY KEY,
  device_hash BLOB NOT NULL,
  user_tag TEXT NOT NULL,
  user_code BLOB NOT NULL,
  client_id TEXT NOT NULL,
  scopes TEXT NOT NULL,
  audience TEXT NOT NULL,
  acr_values TEXT NOT NULL,
  max_age BIGINT,
  address TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  poll_interval BIGINT NOT NULL,
  slowed_at BIGINT,
  denied_at BIGINT,
  approved_at BIGINT,
  account_id TEXT,
  grant_id TEXT,
  redeemed_at BIGINT
);
CREATE UNIQUE INDEX device_authorizations_device ON device_authorizations (device_hash);
CREATE UNIQUE INDEX device_authorizations_user ON device_authorizations (user_tag);
CREATE INDEX device_authorizations_account ON device_authorizations (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX device_authorizations_expires ON device_authorizations (expires_at);
