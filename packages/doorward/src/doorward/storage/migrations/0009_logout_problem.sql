-- Why an app was not told of a log-out, at the last try that failed: for the operator. Null is "no try has failed".
-- readable by: 4
ALTER TABLE logout_notices ADD COLUMN problem TEXT;
