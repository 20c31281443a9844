"""The settings of yizhan: `load(path)` reads them, `config.schema` says what they may be. Imports nothing of ours."""
