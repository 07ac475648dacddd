-- readable by: 4
-- What did not leave, for the operator: of a table that holds all that was sent in a month, the few rows that failed.
CREATE INDEX logout_notices_undelivered ON logout_notices (client_id, created_at) WHERE sent_at IS NULL AND problem IS NOT NULL;
CREATE INDEX outgoing_mail_undelivered ON outgoing_mail (created_at) WHERE sent_at IS NULL AND tries > 0;
