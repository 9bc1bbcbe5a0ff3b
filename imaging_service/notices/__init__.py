"""What has happened in a trial, told in order: a feed for who asks, webhooks for who wants to be told."""
