-- readable by: 4
-- The notices of one app, first tries first: an app that is down has thousands that wait, and no other app may wait behind them.
CREATE INDEX logout_notices_app ON logout_notices (client_id, tries, next_try_at, id) WHERE sent_at IS NULL AND failed_at IS NULL;
-- Those whose first try a sign-out waits for.
CREATE INDEX logout_notices_untried ON logout_notices (session_id) WHERE sent_at IS NULL AND failed_at IS NULL AND problem IS NULL;
