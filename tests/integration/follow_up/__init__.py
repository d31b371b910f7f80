"""What came of calls: lists of them, and the history of each."""
