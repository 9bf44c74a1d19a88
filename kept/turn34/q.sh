#!/bin/bash
# q.sh LOG PID: after PID has ended, run the lines of queue.txt one after another; a line that begins with ! is a command
cd /work/run; export PYTHONPATH=/work/run OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1 MALLOC_TRIM_THRESHOLD_=4000000000 MALLOC_MMAP_THRESHOLD_=4000000000
while [ $2 != 1 ] && kill -0 $2 2>/dev/null; do sleep 1; done
Q=${3:-queue}
while true; do
  r=$(flock /work/exp/queue.lock bash -c "head -1 /work/exp/$Q.txt; sed -i 1d /work/exp/$Q.txt")
  [ -z "$r" ] && { sleep 5; continue; }
  [ "$r" = stop ] && exit
  if [ "${r:0:1}" = "!" ]; then bash -c "${r:1}"; continue; fi
  /work/venv/bin/python -W ignore tests/benchmarks/worlds.py $r --workers 1 --folder /work/runs/worlds34 >> /work/runs/turn/finals-$1.log 2>&1
done
