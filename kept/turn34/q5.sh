cd /work/exp; export PYTHONPATH=/work/turn OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1 MALLOC_TRIM_THRESHOLD_=4000000000 MALLOC_MMAP_THRESHOLD_=4000000000
n=$1; shift; /work/venv/bin/python nl.py "$@" > /work/runs/turn/$n.log 2>&1
