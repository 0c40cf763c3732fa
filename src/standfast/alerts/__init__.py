"""Telling people. The journal is the durable outbox; this room decides when what is sent where, and sends it."""
