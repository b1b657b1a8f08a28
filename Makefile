PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet

.PHONY: doctor test hosts rules bench fuzz lock clean
.DELETE_ON_ERROR:

doctor: $(VENV)/.runtime
	packaging/first-look.sh $(VENV)/bin/agentdoctor

# Beside the own Python the oldest; CI names them all.
PYTHONS ?= 3.10

test: $(VENV)/.dev
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	@$(VENV)/bin/python -c 'import sys; print("== Python", sys.version.split()[0])'
	$(VENV)/bin/python -m pytest -n auto
	tests/interpreters.sh $(VENV) $(PYTHONS)

# Incidents on booted hosts, as root: a Debian root made once in .hosts, systemd-nspawn, nothing from outside.
hosts: $(VENV)/.dev
	@tests/hosts/root.sh .hosts/bookworm
	@$(VENV)/bin/python -m pytest -n 2 tests/hosts/incidents.py || { \
		echo "once more, one host at a time: a busy machine can be too slow for two"; \
		$(VENV)/bin/python -m pytest --last-failed tests/hosts/incidents.py; }

# The catalogue ships compiled beside its sources, and each rule has a page in docs/failures: tests fail until this
# was run.
rules: $(VENV)/.runtime
	$(VENV)/bin/python -m agentdoctor.rules

bench: $(VENV)/.dev
	$(VENV)/bin/python tests/bench/run.py

# Needs a Python that atheris has wheels for: 3.11 to 3.13. What was learned stays in .venv-fuzz/corpus, an input that
# fails in .venv-fuzz/crashes: run.py with that file as its argument repeats it.
FUZZ_PYTHON ?= $(PYTHON)
FUZZ_SECONDS ?= 600

fuzz: .venv-fuzz/.atheris
	mkdir -p .venv-fuzz/crashes
	.venv-fuzz/bin/python tests/fuzz/run.py .venv-fuzz/corpus -max_total_time=$(FUZZ_SECONDS) -max_len=16384 \
		-len_control=0 -timeout=5 -dict=tests/fuzz/words.dict -artifact_prefix=.venv-fuzz/crashes/

.venv-fuzz/.atheris: tests/fuzz/requirements.txt
	$(FUZZ_PYTHON) -m venv --clear .venv-fuzz
	.venv-fuzz/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --only-binary :all: -r $<
	touch $@

# What is built here (systemd-python, and the package itself) is built with the locked setuptools, not the newest.
$(VENV)/.runtime: requirements-build.lock requirements.lock pyproject.toml packaging/prepare.sh
	packaging/prepare.sh $(PYTHON)
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) install --require-hashes -r requirements-build.lock
	$(PIP) install --require-hashes --no-build-isolation --use-pep517 -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
	touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	$(PIP) install --require-hashes --no-build-isolation -r requirements-dev.lock
	touch $@

# Needs the network. The runtime's pins follow those of the tests: what is shipped is what was tested.
UV := UV_PYTHON_DOWNLOADS=never .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.10 \
	--generate-hashes --custom-compile-command 'make lock' pyproject.toml

lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet uv
	$(UV) --upgrade --extra dev --extra systemd -o requirements-dev.lock
	$(UV) --upgrade --extra systemd -c requirements-dev.lock -o requirements.lock
	$(UV:pyproject.toml=--group build) --upgrade -o requirements-build.lock

clean:
	rm -rf .venv* .hosts build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find agentdoctor tests -name __pycache__ -prune -exec rm -rf {} +
