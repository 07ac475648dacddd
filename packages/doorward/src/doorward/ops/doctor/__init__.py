"""Diagnosis of a server: `doorward doctor`."""
