-- The root secret, from which everything is derived that the database holds encrypted. It is here only wrapped, once for each
-- key-encryption key that opens it; which id is the root's stands in `meta`, so that there is one.
CREATE TABLE wrapped_keys (
  id TEXT NOT NULL,
  kek TEXT NOT NULL,
  wrapped BLOB NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (id, kek)
);

-- Two processes that see the next key missing must not both make one.
CREATE UNIQUE INDEX signing_keys_next ON signing_keys (alg) WHERE state = 'next';

-- The longest that any token lived which this key may have signed: a shorter life set later does not shorten theirs.
ALTER TABLE signing_keys ADD COLUMN token_life BIGINT NOT NULL DEFAULT 0;
