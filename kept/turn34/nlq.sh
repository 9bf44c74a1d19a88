#!/bin/bash
# nlq.sh FILE: run each line "LOGNAME WORLD SEED args" in turn
while read -r name world seed rest; do
  [ -z "$name" ] && continue
  [ -f /work/runs/turn/$name.safetensors ] && continue
  PYTHONPATH=/work/turn OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1 /work/venv/bin/python /work/exp/nl.py $world $seed /work/runs/turn/$name $rest > /work/runs/turn/$name.log 2>&1
done < $1
