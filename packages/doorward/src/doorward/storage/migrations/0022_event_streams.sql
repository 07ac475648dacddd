-- readable by: 4
-- Streams of security events, each of one app, and the events that their receivers have not accepted yet. `events` are names between
-- spaces; `sealed` is the Authorization header with which a receiver wants to be called. A row of `security_events` outlives its account:
-- that an account is gone is an event, too.
CREATE TABLE event_streams (
  id TEXT NOT NULL PRIMARY KEY,
  client_id TEXT NOT NULL,
  audience TEXT NOT NULL,
  description TEXT NOT NULL,
  delivery TEXT NOT NULL,
  endpoint_url TEXT NOT NULL,
  sealed BLOB,
  events TEXT NOT NULL,
  subject TEXT NOT NULL,
  subject_in_event BIGINT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT,
  created_at BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  next_try_at BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  failing_since BIGINT,
  problem TEXT,
  accepted_at BIGINT,
  verified_at BIGINT
);
CREATE INDEX event_streams_client ON event_streams (client_id);
CREATE INDEX event_streams_due ON event_streams (next_try_at) WHERE delivery = 'push' AND status = 'enabled';
CREATE TABLE security_events (
  id TEXT NOT NULL PRIMARY KEY,
  stream_id TEXT NOT NULL,
  account_id TEXT,
  position BIGINT NOT NULL,
  at BIGINT NOT NULL,
  kind TEXT NOT NULL,
  session_id TEXT,
  email TEXT,
  detail TEXT NOT NULL
);
CREATE INDEX security_events_stream ON security_events (stream_id, position, id);
CREATE INDEX security_events_account ON security_events (account_id, position) WHERE account_id IS NOT NULL;
CREATE INDEX security_events_at ON security_events (at);
