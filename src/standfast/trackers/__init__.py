"""The bot's own record: JSON, CSV, SQLite and PostgreSQL, read in a process of their own and never written."""
