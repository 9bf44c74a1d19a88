"""One file per algorithm, each with ``Config``, ``train_step`` and ``fit``; read two side by side."""
