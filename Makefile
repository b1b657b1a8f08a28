PYTHON ?= python3
VENV := .venv
VERSION = $(shell $(PYTHON) -c 'import agentdoctor; print(agentdoctor.__version__)')
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet

.PHONY: doctor test cloud hosts e2e deb release-check oldest newest rules docs man completions catalog sbom bench endurance fuzz lock clean
.DELETE_ON_ERROR:

doctor: $(VENV)/.runtime
	packaging/first-look.sh $(VENV)/bin/agentdoctor

# Beside the own Python none, so that it takes a minute or two; CI names them all.
PYTHONS ?=

test: $(VENV)/.dev
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	MYPYPATH=packaging/docs $(VENV)/bin/mypy packaging/*.py packaging/docs/*.py
	@$(VENV)/bin/python -c 'import sys; print("== Python", sys.version.split()[0])'
	@$(VENV)/bin/python -m pytest -n auto --ignore tests/cloud || { \
		echo "once more, those alone: what fails beside others only is still a defect, of a test"; \
		$(VENV)/bin/python -m pytest --last-failed --ignore tests/cloud; }
	tests/interpreters.sh $(VENV) $(PYTHONS)

# The templates for AWS, made in moto's account by the real tools where they are here; Terraform alone takes a minute.
cloud: $(VENV)/.dev
	$(VENV)/bin/python -m pytest -n auto tests/cloud

# Incidents on booted hosts, as root: a Debian root made once in .hosts, systemd-nspawn, nothing from outside. The action
# of GitHub is set up in such a root from the wheels that are locked.
HOSTS := $(addprefix tests/hosts/,incidents.py incidents_2x.py unit.py action.py)

hosts: $(VENV)/.dev
	@tests/hosts/root.sh .hosts/bookworm
	@$(VENV)/bin/python -m pytest -n 2 $(HOSTS) || { \
		echo "once more, one host at a time: a busy machine can be too slow for two"; \
		$(VENV)/bin/python -m pytest --last-failed $(HOSTS); }

STORY = PYTHONPATH=tests:tests/hosts tests/hosts/alone.sh $(VENV)/bin/python -m pytest -p installed -p no:randomly \
	tests/hosts/e2e.py tests/hosts/e2e_trouble.py

# The package on booted hosts, from its install to its purge, with messages that arrive at a topic. As root.
e2e: $(VENV)/.dev
	@tests/hosts/root.sh .hosts/bookworm
	@tests/hosts/root.sh .hosts/trixie trixie
	@$(STORY) || { echo "once more: a busy machine can be too slow"; $(STORY); }

# dist/agentdoctor_VERSION_all.deb, for Debian 12, Ubuntu 22.04 and what is newer; lintian has the last word.
deb:
	packaging/deb.sh
	lintian --allow-root --fail-on error,warning dist/agentdoctor_$(VERSION)_all.deb

# All that a release has, built and installed where nothing of ours is. As root.
release-check:
	packaging/release.sh

# The source against the oldest of what it is used with (Ubuntu 22.04), and against the newest of PyPI.
oldest newest:
	tests/versions.sh $@

# The catalogue ships compiled beside its sources, and each rule has a page in docs/failures: tests fail until this
# was run.
rules: $(VENV)/.runtime
	$(VENV)/bin/python -m agentdoctor.rules

# Made from the sources, by any Python that runs agentdoctor and with no third party: for packages.
docs: man completions catalog

man completions catalog:
	PYTHONPATH=. $(PYTHON) packaging/docs $@ build/$@

# What pip installs, for whoever must know: CycloneDX.
sbom:
	PYTHONPATH=. $(PYTHON) packaging/sbom.py requirements.lock build/sbom.cdx.json

# CycloneDX's own schema, for its test: with two dozen packages that nothing else needs.
.venv-cyclonedx/.made:
	$(PYTHON) -m venv --clear .venv-cyclonedx
	.venv-cyclonedx/bin/python -m pip --disable-pip-version-check --quiet install 'cyclonedx-python-lib[json-validation]==11.12.0'
	touch $@

bench: $(VENV)/.dev
	$(VENV)/bin/python tests/bench/run.py

# The promises of the service at their full numbers, which takes an hour or two: a million lines, thousands of kills.
endurance: $(VENV)/.dev
	AGENTDOCTOR_LONG=1 $(VENV)/bin/python -m pytest -n auto -p no:randomly tests/tailing tests/crash tests/sinks \
		tests/test_outbox.py tests/test_outbox_limits.py tests/test_outbox_promises.py \
		tests/test_store.py tests/test_store_schema.py tests/test_store_trouble.py tests/test_store_view.py
	$(VENV)/bin/python tests/endurance/count.py

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
	$(UV:pyproject.toml=--group lint) --upgrade -c requirements-dev.lock -o requirements-lint.lock

clean:
	rm -rf .venv* .hosts build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find agentdoctor tests -name __pycache__ -prune -exec rm -rf {} +
