"""Every figure the project promises, measured beside its floor in the same run."""
