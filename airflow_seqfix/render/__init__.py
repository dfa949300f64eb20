"""Reports for people. Everything that comes from a database is text here, never markup."""
