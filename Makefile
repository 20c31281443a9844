PY ?= python3
BIN := .venv/bin
HTTP ?= 127.0.0.1:8080
MQTT ?= 127.0.0.1:1883

.PHONY: setup demo test check fix bench soak lock clean

.venv/.base: requirements.lock pyproject.toml
	$(PY) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

.venv/.dev: .venv/.base requirements-dev.lock
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	touch $@

setup: .venv/.base

demo: setup
	$(BIN)/yizhan demo --http $(HTTP) --mqtt $(MQTT)

test: .venv/.dev
	sh tests/install-tools.sh
	$(BIN)/python -m pytest

check: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: .venv/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.dev
	sh tests/install-tools.sh
	$(BIN)/python -m tests.benchmarks

soak: .venv/.dev
	sh tests/install-tools.sh
	$(BIN)/python -m pytest -m soak --timeout 3600

lock:
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-header --extra bridge --group build pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-header --extra bridge --group build --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:
	rm -rf .venv build *.egg-info
