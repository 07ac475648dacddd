"""Copy of a whole database as ordered rows, independent of the engine: the basis of backup, restore and move."""
