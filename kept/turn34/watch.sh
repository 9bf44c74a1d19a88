while [ ! -f /work/runs/worlds32/faces-1.json ]; do sleep 2; done
pkill -f "finals.sh B"; sleep 1; pkill -f "worlds.py faces:3"; sleep 1
/work/exp/finals.sh C chairs:0 sprites:0
