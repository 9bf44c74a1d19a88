grep -h "^[a-z_0-9-]*: [0-9]* s" /work/runs/turn/finals-*.log | python3 -c "
import sys,json
for l in sys.stdin:
    n,r=l.split(': ',1); s,j=r.split(' s, ',1); d=json.loads(j)
    print(n,s,{k.replace('azimuth','az').replace('elevation','el').replace(', next','*').replace('L_I','').replace('distance',''):v for k,v in d.items() if 'expr' not in k and 'floor' not in k})"; for f in S1 S2 S3 S4 S5 S6 S7 S8 S9; do [ -f /work/runs/turn/$f.log ] && { echo $f; grep -E "^(NMI|by|[0-9]+ )" /work/runs/turn/$f.log | cut -c1-220; }; done; date
