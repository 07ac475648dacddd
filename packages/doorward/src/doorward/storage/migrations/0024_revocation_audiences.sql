-- readable by: 4
-- The one API that all tokens of an entry are for. Other APIs need not hear of it. Without one, as in the entries of earlier programs,
-- all APIs hear of it.
ALTER TABLE revocations ADD COLUMN audience TEXT;
