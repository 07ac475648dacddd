-- readable by: 4
-- When a public app last had a lost answer repeated that was older than the leeway: once a day for each grant. A program that does
-- not know the column decides as it always did.
ALTER TABLE refresh_tokens ADD COLUMN late_at BIGINT;
