"""The store in SQL: a file per noun with statements that every engine runs, and one file per engine for what differs."""
