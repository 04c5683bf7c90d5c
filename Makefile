# make lab     from nothing to the first lesson in JupyterLab
# make test    everything that can be checked
# make grade   a folder of exercises that were handed in: make grade EXERCISE=02_recursion HANDINS=folder
#
# Needs make and Python 3.11 or later. What is installed goes into .venv and can be deleted with it.

IS_RECENT := import sys; sys.exit(sys.version_info < (3, 11))

# The Python that makes .venv. Another one: make lab PYTHON=python3.12
ifndef PYTHON
PYTHON := $(shell for p in python3.11 python3 python3.12 python3.13 python; do \
	$$p -c '$(IS_RECENT)' 2>/dev/null && echo $$p && break; done)
endif

# The Python that runs the course. An environment of your own, as it is, with nothing installed: make lab RUN=python
VENV := .venv
RUN := $(VENV)/bin/python
STAMP := $(VENV)/.installed
READY := $(if $(filter $(VENV)/bin/python,$(RUN)),$(STAMP))

# The Python that grades: the learner's packages, and beside them nbgrader, which no learner needs.
GRADE := .venv-grade
GRADER := $(if $(filter $(VENV)/bin/python,$(RUN)),$(GRADE)/bin/python,$(RUN))
GRADE_STAMP := $(GRADE)/.installed
GRADE_READY := $(if $(filter $(GRADE)/bin/python,$(GRADER)),$(GRADE_STAMP))

# The Python that makes the website and the slides, in the same way.
BOOK := .venv-book
BOOKMAKER := $(if $(filter $(VENV)/bin/python,$(RUN)),$(BOOK)/bin/python,$(RUN))
BOOK_STAMP := $(BOOK)/.installed
BOOK_READY := $(if $(filter $(BOOK)/bin/python,$(BOOKMAKER)),$(BOOK_STAMP))

# The Python that serves a class, in the same way; and the proxy, from npm.
HUB := .venv-hub
HUBBER := $(if $(filter $(VENV)/bin/python,$(RUN)),$(HUB)/bin/python,$(RUN))
HUB_STAMP := $(HUB)/.installed
HUB_PROXY := hub/node_modules/.installed
HUB_READY := $(if $(filter $(HUB)/bin/python,$(HUBBER)),$(HUB_STAMP)) $(HUB_PROXY)
PURELIB := import sysconfig; print(sysconfig.get_path("purelib"))

# PyTorch's own index has builds without CUDA, gigabytes smaller. Where it is not reached, the default index serves.
TORCH_INDEX := https://download.pytorch.org/whl/cpu
TORCH := $(shell sed -n '/^torch==/p' requirements.txt)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# What the browser tests want of the npm registry; without npm they say so and are skipped.
NODE_STAMP := node_modules/.installed

# The settings in tools/jupyter: JupyterLab asks no server for news, and its server delays no message. Root, in a container, has to say that it means it.
LESSON := lessons/00_start_here.ipynb
LAB = exec env JUPYTER_CONFIG_PATH=tools/jupyter $(RUN) -m jupyterlab $(LESSON) --ServerApp.root_dir=. \
	$(if $(filter 0,$(shell id -u)),--allow-root) $(LAB_OPTIONS)

# A notebook stays in one process (loadfile), and each process computes with one thread.
JOBS := 2
REPORTS := .pytest_reports
PYTEST := OMP_NUM_THREADS=1 $(RUN) -m pytest -q
SPREAD := -n $(JOBS) --dist loadfile
NBVAL := --nbval --nbval-current-env --nbval-sanitize-with tests/nbval.cfg --nbval-cell-timeout 120

.DEFAULT_GOAL := help
.PHONY: help lab test grade formgrader hub exercises check bench notebooks book slides constraints clean FORCE

help: ## show this list
	@echo "make <target>, where <target> is one of"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

lab: $(READY) ## open the first lesson in JupyterLab (its options: LAB_OPTIONS="--no-browser --port 8899")
	$(LAB)

test: check $(GRADE_READY) $(HUB_READY) $(if $(shell command -v npm),$(NODE_STAMP)) ## the checks, the library, the notebooks, the browser; stops at the first that fails
	@rm -rf $(REPORTS)
	$(PYTEST) $(SPREAD) --junitxml $(REPORTS)/library.xml --ignore tests/browser --ignore tests/test_grading --ignore tests/test_hub
	$(PYTEST) $(SPREAD) --junitxml $(REPORTS)/notebooks.xml $(NBVAL) lessons
	$(if $(shell command -v npm),$(MAKE) --no-print-directory book slides)
	$(PYTEST) $(SPREAD) --junitxml $(REPORTS)/browser.xml tests/browser
	OMP_NUM_THREADS=1 $(GRADER) -m pytest -q $(SPREAD) --junitxml $(REPORTS)/grading.xml tests/test_grading
	OMP_NUM_THREADS=1 $(HUBBER) -m pytest -q -rs --junitxml $(REPORTS)/hub.xml tests/test_hub
	@$(RUN) tools/preflight.py --counts $(REPORTS)

grade: $(GRADE_READY) ## grade what was handed in: EXERCISE=02_recursion HANDINS=folder (more: OPTIONS="--table learners.csv")
	$(if $(EXERCISE),,@$(GRADER) -m rflib.grading --help; exit 2)
	$(GRADER) -m rflib.grading $(EXERCISE) $(if $(HANDINS),"$(HANDINS)") --python "$(abspath $(RUN))" $(OPTIONS)

formgrader: $(GRADE_READY) ## mark by hand what no number can judge, in nbgrader's Formgrader (its options: LAB_OPTIONS)
	exec env JUPYTER_CONFIG_PATH=tools/jupyter JUPYTER_PATH=$(abspath $(VENV))/share/jupyter \
		JUPYTERLAB_DIR=$(abspath $(VENV))/share/jupyter/lab $(GRADER) -m jupyterlab --ServerApp.root_dir=. \
		--LabApp.default_url=/formgrader $(if $(filter 0,$(shell id -u)),--allow-root) $(LAB_OPTIONS)

hub: $(HUB_READY) ## serve a class: JupyterHub (first: hub/README.md); to install it only: make hub HUB_OPTIONS=--version
	exec $(HUBBER) -m jupyterhub --config hub/jupyterhub_config.py $(HUB_OPTIONS)

exercises: $(GRADE_READY) ## make the learners' copies in exercises/ out of solutions/ (one: NAME=02_recursion)
	$(GRADER) tools/build_exercises.py $(NAME)

check: $(READY) ## lint, format, types, spelling
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(RUN) -m codespell_lib

bench: $(READY) $(GRADE_READY) ## measure, and print ratios
	$(GRADER) benchmarks/run.py

notebooks: $(READY) ## run all lessons, save them with their outputs (one: LESSONS=lessons/03_layer_by_layer.ipynb)
	OMP_NUM_THREADS=1 $(RUN) tools/run_notebooks.py $(LESSONS)

book: $(BOOK_READY) $(NODE_STAMP) ## make the website in build/book/html (with links to Binder: REPOSITORY=address of your copy, BRANCH=main)
	$(BOOKMAKER) -m tools.publishing.book $(if $(REPOSITORY),--repository "$(REPOSITORY)") $(if $(BRANCH),--branch "$(BRANCH)")

slides: $(READY) $(NODE_STAMP) ## make each lesson a deck of slides, one file each, in build/slides (one: LESSONS=lessons/03_layer_by_layer.ipynb)
	OMP_NUM_THREADS=1 $(RUN) -m tools.publishing.slides $(LESSONS)

constraints: ## write constraints.txt anew: the version of every package in a fresh environment
	$(require_python)
	rm -rf $(VENV)-fresh
	$(PYTHON) -m venv $(VENV)-fresh
	$(call install_torch,$(VENV)-fresh/bin/python)
	$(VENV)-fresh/bin/python -m pip install -r requirements.txt
	echo "# Every package that requirements.txt brings along, on Linux. Written by: make constraints" > $@.txt
	$(VENV)-fresh/bin/python -m pip freeze --all --exclude pip | sed 's/+.*//' >> $@.txt
	rm -rf $(VENV)-fresh

clean: ## delete everything that make made, .venv too
	rm -rf $(VENV) $(VENV)-fresh $(GRADE) $(BOOK) $(HUB) hub/node_modules $(REPORTS) node_modules build rflib.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -depth -type d \( -name __pycache__ -o -name .ipynb_checkpoints \) -exec rm -rf {} +

# The stamp holds the folder that it was made in: a copied .venv would import the rflib of the folder it comes from.
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(CURDIR))
$(STAMP): FORCE
endif
$(STAMP): requirements.txt constraints.txt pyproject.toml
	$(require_python)
	$(PYTHON) -m venv $(VENV)
	$(call install_torch,$(VENV)/bin/python,-c constraints.txt)
	$(VENV)/bin/python -m pip install -c constraints.txt -e .
	@echo "$(CURDIR)" > $@

$(GRADE_STAMP): $(READY) requirements-grade.txt
	$(call install_beside,$(GRADE),requirements-grade.txt)

$(BOOK_STAMP): $(READY) requirements-book.txt
	$(call install_beside,$(BOOK),requirements-book.txt)

$(HUB_STAMP): $(READY) requirements-hub.txt
	$(call install_beside,$(HUB),requirements-hub.txt)

$(HUB_PROXY): hub/package.json
	npm install --prefix hub --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel error && touch $@ || \
		echo "npm could not install JupyterHub's proxy (hub/package.json): the hub will not start, and says so."

$(NODE_STAMP): package.json
	npm install --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel error && touch $@ || \
		echo "npm could not install what package.json lists; tests that want it are skipped."

define require_python
@$(or $(PYTHON),false) -c '$(IS_RECENT)' 2>/dev/null || { \
	echo "This course needs Python 3.11 or later; '$(or $(PYTHON),python3)' is $$($(or $(PYTHON),python3) --version 2>&1)."; \
	echo "Install a newer one and name it: make $(firstword $(MAKECMDGOALS)) PYTHON=python3.11"; exit 1; } >&2
endef

define install_torch
$(1) -m pip install $(2) --no-deps --retries 0 --timeout 15 --index-url $(TORCH_INDEX) $(TORCH) || { \
	echo "PyTorch's own index did not answer; the default index serves."; \
	$(1) -m pip install $(2) $(TORCH); }
endef

# An environment (1) with more packages (2), beside the learner's, which it sees and does not copy: `site` reads what the
# editable installation of rflib left among them.
define install_beside
$(RUN) -m venv --clear --without-pip $(1)
echo "import site; site.addsitedir(r'$$($(abspath $(RUN)) -c '$(PURELIB)')')" > "$$($(1)/bin/python -c '$(PURELIB)')/learner.pth"
$(1)/bin/python -m pip install -c constraints.txt -r $(2)
touch $@
endef
