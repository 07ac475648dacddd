-- readable by: 4
-- What a form that was posted just now was answered with, for the second click of a double click: one row for each browser, at a
-- place that its cookie decides, so that there are never more rows than places. `sealed` is null while the first is being answered,
-- and opens only with that cookie. Rows are of use for some seconds.
CREATE TABLE answered_posts (
  place BIGINT NOT NULL PRIMARY KEY,
  post TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  sealed BLOB
);
CREATE INDEX answered_posts_expires ON answered_posts (expires_at);
