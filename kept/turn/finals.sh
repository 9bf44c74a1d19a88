cd /work/turn; export PYTHONPATH=/work/turn OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1 MALLOC_TRIM_THRESHOLD_=4000000000 MALLOC_MMAP_THRESHOLD_=4000000000
/work/venv/bin/python tests/benchmarks/worlds.py "$@" --folder /work/runs/worlds32 >> /work/runs/turn/finals-$1.log 2>&1
