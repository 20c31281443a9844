"""Passkeys: people log in with what unlocks their phone or computer, instead of a key to paste (WebAuthn level 3)."""
