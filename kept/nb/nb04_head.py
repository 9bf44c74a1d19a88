src = open("/work/exp/nb04.py").read().replace("nb04_text", "nb07_text")
exec(src)
