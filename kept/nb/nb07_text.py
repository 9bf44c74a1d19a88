for _s in [by_text("text-00")]:
    put("text-00", _s.replace("**Previous**", "**Symbols** [in one table](../README.md#notation) · **Previous**", 1))
