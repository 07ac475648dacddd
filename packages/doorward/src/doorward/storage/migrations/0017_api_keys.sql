-- readable by: 4
-- Keys for one API, of a person (account_id) or of an app (client_id): exactly one of the two is set. `scopes` and `networks` are
-- separated by spaces. `token_prefix` begins the jti of the tokens made from the key.
CREATE TABLE api_keys (
  id TEXT NOT NULL PRIMARY KEY,
  account_id TEXT REFERENCES accounts (id) ON DELETE CASCADE,
  client_id TEXT,
  name TEXT NOT NULL,
  audience TEXT NOT NULL,
  scopes TEXT NOT NULL,
  networks TEXT NOT NULL,
  secret_hash BLOB NOT NULL,
  previous_hash BLOB,
  previous_until BIGINT,
  token_prefix TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  rotated_at BIGINT,
  expires_at BIGINT NOT NULL,
  used_at BIGINT,
  warned BIGINT,
  ended_at BIGINT,
  end_reason TEXT
);
CREATE INDEX api_keys_account ON api_keys (account_id, created_at) WHERE account_id IS NOT NULL;
CREATE INDEX api_keys_client ON api_keys (client_id, created_at) WHERE client_id IS NOT NULL;
CREATE INDEX api_keys_audience ON api_keys (audience);
CREATE INDEX api_keys_expires ON api_keys (expires_at);
CREATE INDEX api_keys_ended ON api_keys (ended_at) WHERE ended_at IS NOT NULL;
