src = open("/work/exp/nb04.py").read().replace("04_training_on_mnist", "07_faces_and_chairs").replace("nb04_text", "nb07_text")
exec(src)
