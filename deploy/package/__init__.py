"""The Debian package: `python -m deploy.package.build [amd64|arm64 ...]`, or `make deb`."""
