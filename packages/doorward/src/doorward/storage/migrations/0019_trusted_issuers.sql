-- readable by: 4
-- Issuers whose assertions become access tokens (RFC 7523 §2.1); `doc` has their keys, limits and rules. `grant_id` begins the jti of
-- those tokens: another one takes its place when they have to end.
CREATE TABLE trusted_issuers (
  id TEXT NOT NULL PRIMARY KEY,
  issuer TEXT NOT NULL,
  grant_id TEXT NOT NULL,
  revision BIGINT NOT NULL,
  doc TEXT NOT NULL
);
CREATE UNIQUE INDEX trusted_issuers_issuer ON trusted_issuers (issuer);
