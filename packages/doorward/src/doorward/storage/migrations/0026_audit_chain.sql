-- readable by: 4
-- Lines of the audit log are chained by SHA-256 (core/model/audit_line.py), and their personal fields stand in rows of their own, which can
-- be erased. `personal` is the salted hash of those, '' if a line has none, NULL in the form of older programs until the line is sealed.
ALTER TABLE audit ADD COLUMN personal TEXT;

CREATE TABLE audit_personal (
  id TEXT NOT NULL PRIMARY KEY,
  salt BLOB NOT NULL,
  fields TEXT NOT NULL
);

-- `digest` is that of the line; `hash` binds it to all before it.
CREATE TABLE audit_chain (
  seq BIGINT NOT NULL PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  digest BLOB NOT NULL,
  hash BLOB NOT NULL
);

-- Signed statements about the chain up to `seq`.
CREATE TABLE audit_heads (
  seq BIGINT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  jws TEXT NOT NULL
);

-- Committed lines that are not in the chain yet, whichever program wrote them. Kept by triggers.
CREATE TABLE audit_unsealed (
  id TEXT NOT NULL PRIMARY KEY
);
INSERT INTO audit_unsealed (id) SELECT id FROM audit;
