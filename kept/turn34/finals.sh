# finals.sh LOG RUN...: one at a time
cd /work/turn; export PYTHONPATH=/work/turn OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1 MALLOC_TRIM_THRESHOLD_=4000000000 MALLOC_MMAP_THRESHOLD_=4000000000
log=$1; shift
for r in "$@"; do /work/venv/bin/python tests/benchmarks/worlds.py $r --workers 1 --folder /work/runs/worlds32 >> /work/runs/turn/finals-$log.log 2>&1; done
