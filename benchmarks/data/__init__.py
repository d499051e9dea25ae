"""What reading, deduplicating, splitting and tokenising cost, beside other ways to do the same."""
