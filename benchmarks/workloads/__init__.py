"""The workloads, one file a family. A new file is found by itself; ORDER only arranges the table."""

ORDER = ["calls", "scalars", "rnn", "training", "perceptron", "digits", "startup"]
