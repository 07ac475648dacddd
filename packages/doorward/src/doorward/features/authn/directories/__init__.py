"""LDAP directories and Active Directory: people sign in with the password that they have there."""
