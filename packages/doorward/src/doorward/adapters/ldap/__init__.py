"""LDAP: connections to directories, in threads of their own."""
