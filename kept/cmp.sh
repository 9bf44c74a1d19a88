#!/bin/bash
# cmp.sh LOG runs... : compare with one worker from bench2
log=$1; shift
cd /work/bench2
export PYTHONPATH=/work/bench2 INFOGAN_DATA=/work/shared/data OMP_WAIT_POLICY=passive
/work/venv/bin/python tests/benchmarks/compare.py "$@" --workers 1 --folder /work/runs/new > /work/runs/$log.log 2>&1
