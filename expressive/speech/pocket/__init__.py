"""The pack's own small classifier of texts, and the sentences that it learned from."""
