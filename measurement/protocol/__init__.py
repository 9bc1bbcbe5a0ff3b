"""A trial's charter as data: criteria, calendar, readers, acquisition rules, endpoints."""
