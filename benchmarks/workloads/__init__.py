"""The workloads, one file a family. A new file is found by itself; ORDER only arranges the table."""

ORDER = [
    "calls", "scalars", "nested", "options", "rnn", "lstm", "training", "perceptron", "digits", "beam", "lbfgs", "maml",
    "trees", "ode", "convolution", "attention", "startup", "growth", "memory", "footprint",
]
