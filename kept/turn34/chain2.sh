while pgrep -f "nl.py faces" >/dev/null; do sleep 2; done
/work/exp/finals.sh faces:0-4 --workers 1
/work/exp/finals.sh sprites:0-4 --workers 1
