"""Site queries: questions to a site about what it sent, with answer and closure."""
