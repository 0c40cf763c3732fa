"""Where journals are kept. Every store keeps the promises of `ports.Store`; `testing.check_journal` checks them."""
