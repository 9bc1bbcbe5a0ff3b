"""What every route shares: the gate, deadlines, transactions, problems, pages, CSV."""
