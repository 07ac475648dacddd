"""The store in SQL, one module for each noun."""
