-- readable by: 4
-- Notices to the owner of an account become one mail if they are written within a short time: bundle is the account's id, in_mail the id
-- of the mail that carries the notice. A program that does not know the columns sends each by itself.
ALTER TABLE outgoing_mail ADD COLUMN bundle TEXT;
ALTER TABLE outgoing_mail ADD COLUMN weight BIGINT NOT NULL DEFAULT 0;
ALTER TABLE outgoing_mail ADD COLUMN in_mail TEXT;
CREATE INDEX outgoing_mail_bundle ON outgoing_mail (bundle) WHERE bundle IS NOT NULL;
CREATE INDEX outgoing_mail_in_mail ON outgoing_mail (in_mail) WHERE in_mail IS NOT NULL;
-- The links "This wasn't me" in notices: hash is the SHA-256 of the link's token, answer not_me, was_me or ended.
CREATE TABLE notice_links (
  hash BLOB NOT NULL PRIMARY KEY,
  account_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  answered_at BIGINT,
  answer TEXT
);
CREATE INDEX notice_links_account ON notice_links (account_id);
CREATE INDEX notice_links_expires ON notice_links (expires_at);
