# make demo shows the whole way, make test runs every test, make check is for while you work: lint, types and the tests
# that are not marked slow, in under 3 minutes on two cores. Each makes .venv from the lock first, if needed.
# make prior learns from synthetic dives what the demo's model starts from: less than three hours on two cores (docs/experiments/prior.md).
# make scorer runs the demo and takes its scorer as the bundled one (docs/score.md).
# make estimator trains what the bundled estimator is, from nothing: some four hours on two cores (docs/experiments/estimator.md).
PYTHON ?= $(firstword $(foreach p,python3.13 python3.12 python3.11 python3,$(if $(shell $(p) -c 'print(1)' 2>/dev/null),$(p))))
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input

.PHONY: demo test check quick lint estimator prior scorer install clean

demo: install
	$(BIN)/fdpose demo --data fdpose-demo

# A process a core, each with one thread.
test: export OMP_NUM_THREADS = 1
test: install .venv/tools
	@command -v chromium > /dev/null || echo "no Chromium: the tests of the review page are skipped; have them with: apt-get install chromium"
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

check: install
	$(MAKE) --jobs 2 lint quick

# One thread: the other core has pyright.
quick: export OMP_NUM_THREADS = 1
quick: install
	$(BIN)/python -m pytest --quiet -m 'not slow'

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

POOL := fdpose-estimator
TRAIN := finetune --device cpu --data $(POOL)

# One thread, so that sums are added in the same order each time.
estimator: export OMP_NUM_THREADS = 1
estimator: install
	$(BIN)/fdpose synth --dives 320 --seed 71 --out $(POOL)/synthetic
	$(BIN)/fdpose extract --labels $(POOL)/synthetic/labels --videos $(POOL)/synthetic/videos --data $(POOL)
	$(BIN)/fdpose annotate --manual $(POOL)/synthetic/truth/annotations.json --annotator truth --data $(POOL)
	$(BIN)/fdpose merge --data $(POOL)
	$(BIN)/fdpose $(TRAIN) --network locator --name trained --from-scratch --steps 8000 --seed 3
	$(BIN)/fdpose $(TRAIN) --network pose --name first --from-scratch --steps 12000 --seed 3
	$(BIN)/fdpose $(TRAIN) --network pose --name second --estimator first --steps 12000 --seed 4
	$(BIN)/fdpose $(TRAIN) --network pose --name trained --estimator second --steps 12000 --seed 5 --turn 30

UNFILMED := fdpose-prior
PRIOR := baselines/prior/checkpoints

prior: export OMP_NUM_THREADS = 1
prior: install
	$(BIN)/fdpose synth --dives 208 --seed 70001 --out $(UNFILMED)/synthetic
	$(BIN)/fdpose extract --labels $(UNFILMED)/synthetic/labels --videos $(UNFILMED)/synthetic/videos --data $(UNFILMED)
	$(BIN)/fdpose annotate --auto --device cpu --data $(UNFILMED)
	$(BIN)/python -m baselines.prior errors --data $(UNFILMED) --truth $(UNFILMED)/synthetic/truth --out $(PRIOR)/errors.npz
	$(BIN)/python -m baselines.prior train --work $(UNFILMED)/unfilmed --errors $(PRIOR)/errors.npz
	$(BIN)/python -m baselines.prior splash --work $(UNFILMED)/entries --errors $(PRIOR)/errors.npz

SCORED := fdpose-scorer

scorer: export OMP_NUM_THREADS = 1
scorer: install
	$(BIN)/fdpose demo --data $(SCORED)
	mkdir -p baselines/scorer/bundled
	cp "$$(ls -td $(SCORED)/runs/*/ | head -n 1)scorer.pth" baselines/scorer/bundled/synthetic.pth

install: .venv/installed

.venv/installed: pyproject.toml requirements/lock.txt requirements/mmpose.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"Python 3.11, 3.12 or 3.13 is needed, {sys.executable} is {v[0]}.{v[1]}; say which with: make PYTHON=python3.13")'
	$(PYTHON) -m venv .venv
	$(PIP) install --quiet --requirement requirements/lock.txt
	$(PIP) install --quiet --no-deps --requirement requirements/mmpose.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# The readers of other tools, for the tests of what they make of our exports.
.venv/tools: .venv/installed requirements/tools.txt
	$(PIP) install --quiet --no-deps --requirement requirements/tools.txt
	touch $@

clean:
	rm -rf .venv fdpose-demo build *.egg-info
