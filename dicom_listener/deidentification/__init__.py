"""De-identification as PS3.15 Annex E asks for: the table as data, the engine on the bytes."""
