-- readable by: 4
-- The roles that a provider's mapping gave, as a JSON list of what accounts.role_names holds; null: none. Others are never removed by it.
ALTER TABLE external_identities ADD COLUMN mapped_roles TEXT;
-- The session at a provider by which somebody signed in. `holder` is the id of the sign-in, then of the session in which it ended.
CREATE TABLE upstream_sessions (
  holder TEXT NOT NULL,
  factor_id TEXT NOT NULL REFERENCES factors (id) ON DELETE CASCADE,
  sid TEXT,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (holder, factor_id)
);
CREATE INDEX upstream_sessions_factor ON upstream_sessions (factor_id);
CREATE INDEX upstream_sessions_sid ON upstream_sessions (sid) WHERE sid IS NOT NULL;
CREATE INDEX upstream_sessions_expires ON upstream_sessions (expires_at);
CREATE INDEX pending_identities_identity ON pending_identities (issuer, subject);
