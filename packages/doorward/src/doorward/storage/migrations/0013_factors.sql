-- readable by: 4
-- A passkey is a row of `factors` (kind passkey, or security_key when it is asked for after a password) and one of this table.
CREATE TABLE passkeys (
  factor_id TEXT NOT NULL PRIMARY KEY REFERENCES factors (id) ON DELETE CASCADE,
  credential_id BLOB NOT NULL,
  -- SHA-256 of credential_id, which may be longer than an index entry: the key that is looked up
  credential_hash BLOB NOT NULL,
  public_key BLOB NOT NULL,
  alg BIGINT NOT NULL,
  sign_count BIGINT NOT NULL,
  aaguid TEXT NOT NULL,
  name TEXT NOT NULL,
  transports TEXT NOT NULL,
  discoverable BIGINT NOT NULL,
  user_verified BIGINT NOT NULL,
  backup_eligible BIGINT NOT NULL,
  backed_up BIGINT NOT NULL,
  attestation TEXT NOT NULL,
  made_silently BIGINT NOT NULL,
  last_used_at BIGINT,
  suspect_at BIGINT
);
CREATE UNIQUE INDEX passkeys_credential ON passkeys (credential_hash);
-- A code sent to a phone or mailbox. It belongs to one sign-in, or to one enrolment (`request` is "enrol:" and the id of a session
-- or sign-in; then `factor_id` is null and `target` holds the sealed number or address).
CREATE TABLE sent_codes (
  id TEXT NOT NULL PRIMARY KEY,
  request TEXT NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  factor_id TEXT,
  code_hash BLOB NOT NULL,
  target BLOB,
  message_id TEXT NOT NULL,
  sends BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT
);
CREATE INDEX sent_codes_request ON sent_codes (request, kind);
CREATE INDEX sent_codes_account ON sent_codes (account_id);
CREATE INDEX sent_codes_expires ON sent_codes (expires_at);
-- Text messages to send, as outgoing_mail. `sealed` holds the number and the text.
CREATE TABLE outgoing_sms (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  account_id TEXT NOT NULL,
  code_id TEXT,
  country TEXT NOT NULL,
  sealed BLOB NOT NULL,
  created_at BIGINT NOT NULL,
  next_try_at BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  sent_at BIGINT,
  failed_at BIGINT,
  gateway_id TEXT,
  problem TEXT
);
CREATE INDEX outgoing_sms_due ON outgoing_sms (next_try_at) WHERE sent_at IS NULL AND failed_at IS NULL;
CREATE INDEX outgoing_sms_age ON outgoing_sms (created_at);
CREATE INDEX outgoing_sms_account ON outgoing_sms (account_id);
CREATE INDEX outgoing_sms_gateway ON outgoing_sms (gateway_id) WHERE gateway_id IS NOT NULL;
-- Browsers on which the second factor is not asked for. (`trusted_devices` holds known devices, for rate limits only.)
CREATE TABLE remembered_devices (
  id TEXT NOT NULL PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  secret_hash BLOB NOT NULL,
  previous_hash BLOB,
  rotated_at BIGINT NOT NULL,
  name TEXT,
  user_agent TEXT NOT NULL,
  address TEXT NOT NULL,
  -- digest of the account's second factors: any change of them ends the row's effect
  factors_mark TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  used_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX remembered_devices_account ON remembered_devices (account_id);
CREATE INDEX remembered_devices_expires ON remembered_devices (expires_at);
-- What policy asks of one person: when a requirement was first found unmet (the grace period counts from then), the sign-in that
-- postponed the enrolment, and the demand of an operator.
CREATE TABLE factor_demands (
  account_id TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
  asked_at BIGINT,
  postponed TEXT,
  required_at BIGINT,
  grace_until BIGINT
);
-- Consecutive wrong codes for each authenticator, counted separately for devices that the account knows (known = 1).
CREATE TABLE factor_failures (
  factor_id TEXT NOT NULL REFERENCES factors (id) ON DELETE CASCADE,
  known BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  PRIMARY KEY (factor_id, known)
);
-- The schema version that a process knows; null: a program that does not record it.
ALTER TABLE nodes ADD COLUMN program BIGINT;
