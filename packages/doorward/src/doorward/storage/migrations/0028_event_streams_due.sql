-- readable by: 4
-- A stream that is paused is due as well: it sends one event, that it was paused.
DROP INDEX event_streams_due;
CREATE INDEX event_streams_due ON event_streams (next_try_at) WHERE delivery = 'push';
