"""Log-in by a provider: OpenID Connect, and 企业微信 (WeCom), which speaks its own."""
