"""The command line: one verb, one question or one act. Everything is imported by the verb that needs it."""
