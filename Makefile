PY ?= python3
BIN := .venv/bin
HTTP ?= 127.0.0.1:8080
MQTT ?= 127.0.0.1:1883

# Where a machine forbids kept bytecode, each of the hundreds of processes that tests start would compile the house anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: apt deb image release setup demo quick test test-slow test-all check fix docs bench lock clean

.venv/.base: requirements.lock pyproject.toml
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "yizhan needs Python 3.11 or newer, and $(PY) is older: name another, as in make $(MAKECMDGOALS) PY=python3.12" >&2; exit 1; }
	@$(PY) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PY) has no venv: install it (on Debian: apt-get install python3-venv), then run this again" >&2; exit 1; }
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

QUICK := tests/config tests/gateway/base tests/gateway/core tests/gateway/dialects tests/gateway/evidence tests/gateway/history \
  tests/gateway/kinds tests/gateway/live tests/gateway/policy tests/gateway/alerts tests/gateway/properties \
  tests/gateway/test_model.py tests/gateway/test_wire_vectors.py
JOBS ?= 6
BUDGET ?= 0
# What tests write is gone after them: in memory, where there are 4 GB of it, thousands of writes need not reach a disk.
SCRATCH := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 4000000 { print "TMPDIR=/dev/shm" }')

# The pure tests: no process, no socket, no clock. Seconds.
quick: .venv/.dev
	$(BIN)/python -m pytest -q -n 2 -m "not slow and not soak and not broker and not e2e" $(QUICK)

# What every change needs. Tests wait more than they work, so more run than there are cores.
test: .venv/.dev
	sh tests/install-tools.sh
	$(SCRATCH) $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

# Besides: kills, power cuts, Monte-Carlo, third-party programs, and what a browser shows of every size, line and fault; minutes.
test-slow: .venv/.dev
	sh tests/install-tools.sh slow
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "slow and not soak" --timeout 900

# All there is: thousands of runs, a million messages; hours. BUDGET=2400 begins no test after so many seconds and names
# those that it left out.
test-all: test test-slow
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m soak --timeout 3600 --budget $(BUDGET)

check: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	sh tests/javascript/check.sh

fix: .venv/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The documentation as a site, build/docs/index.html; a link or anchor that leads nowhere fails.
docs: .venv/.dev
	$(BIN)/python -m mkdocs build --quiet --strict

bench: .venv/.dev
	sh tests/install-tools.sh
	$(BIN)/python -m tests.benchmarks

# dist/yizhan_{version}_{arch}.deb for Debian 12 and 13; DEB=amd64 builds that one alone.
deb: .venv/.dev
	$(BIN)/python -m deploy.package.build $(DEB)

# dist/yizhan_{version}_amd64.oci.tar; needs mmdebstrap and root.
image: .venv/.dev
	$(BIN)/python -m deploy.package.image

# dist/apt, a repository signed by KEY, as gpg knows it, with the packages of this version in its first ring.
apt: deb
	$(BIN)/yizhan rollout add dist/yizhan_$$($(BIN)/yizhan --version | cut -d' ' -f2)_*.deb --repository dist/apt --key $(KEY)

# What is given to others: packages, image and SHA256SUMS of a commit whose signed tag, version and changelog agree.
release: .venv/.dev
	$(BIN)/python -m deploy.package.release check
	$(MAKE) deb image
	$(BIN)/python -m deploy.package.release sums

lock:
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-header --extra bridge --extra people --group build pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-header --extra bridge --extra people --group build --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:
	rm -rf .venv build *.egg-info
