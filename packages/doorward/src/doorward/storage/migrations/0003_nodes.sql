-- The processes that answer from a snapshot in memory, and which version of it each has seen: who changes the configuration
-- waits for them (docs/explain/many-nodes.md). A row is renewed while its process lives and swept when it was not.
CREATE TABLE nodes (
  id TEXT NOT NULL PRIMARY KEY,
  seen BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX nodes_expires ON nodes (expires_at);
