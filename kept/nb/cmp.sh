#!/bin/bash
# cmp.sh LOG runs... : compare with one worker from bench2
log=$1; shift
cd /work/bench
export PYTHONPATH=/work/bench INFOGAN_DATA=/work/data OMP_WAIT_POLICY=passive
/work/venv/bin/python tests/benchmarks/compare.py "$@" --workers 1 --folder /work/runs/full > /work/runs/$log.log 2>&1
