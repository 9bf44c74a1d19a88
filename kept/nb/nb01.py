src = open("/work/exp/nb04.py").read().replace("04_training_on_mnist", "01_entropy_and_mutual_information").replace("nb04_text", "nb01_text")
exec(src)
