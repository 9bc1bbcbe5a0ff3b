"""Signing in at an identity provider: OpenID Connect Core 1.0, authorisation code with PKCE (RFC 7636)."""
