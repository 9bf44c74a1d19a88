cd /work/main; python3 /work/exp/fixrec.py; export PYTHONPATH=/work/main OMP_NUM_THREADS=1
/work/venv/bin/python -W ignore -c "
import sys; sys.path.insert(0,'tests/benchmarks')
from pathlib import Path
import worlds
worlds.write_table(Path('/work/runs/worlds34'))
"
/work/venv/bin/python -W ignore tests/benchmarks/worlds.py --ship $@ --folder /work/runs/worlds34
ls -la data/pretrained/*.safetensors
