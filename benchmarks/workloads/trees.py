"""A Tree-LSTM over binary trees whose shape is data, and its gradient."""

import numpy as np

from benchmarks.workload import Thunk, Workload

WIDTH, LEAVES, TREES = 64, 32, 4


class TreeLstm(Workload):
    """Gradients of the square sum of the roots' states of four random trees with respect to all weights.

    A tree is (left, right): for every inner node the numbers of its children, which come before it; the first
    numbers are the leaves. Ours and the others that can recurse from the root do; TensorFlow goes through arrays.
    """

    name = "treelstm"
    what = "4 random trees of 32 leaves, forward and gradient, recursive"
    tolerance = 1e-4
    refused = ("tensorflow+xla",)

    def inputs(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """(leaves, left, right) with a first axis over trees; weights (2 * width, 5 * width) and bias."""
        random = np.random.default_rng(0)
        leaves = random.standard_normal((TREES, LEAVES, WIDTH), dtype=np.float32)
        left, right = np.zeros((2, TREES, LEAVES - 1), np.int32)
        for tree in range(TREES):
            roots = list(range(LEAVES))
            for k in range(LEAVES - 1):
                at = random.integers(len(roots) - 1)
                left[tree, k], right[tree, k] = roots[at : at + 2]
                roots[at : at + 2] = [LEAVES + k]
        weights = random.standard_normal((2 * WIDTH, 5 * WIDTH), dtype=np.float32) * np.float32(0.5 / WIDTH**0.5)
        bias = random.standard_normal(5 * WIDTH, dtype=np.float32) * np.float32(0.1)
        return [leaves, left, right], [weights, bias]

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        def encode(node, leaves, left, right, weights, bias):
            if node < LEAVES:
                return ag.tanh(leaves[node]), leaves[node]
            state1, memory1 = encode(left[node - LEAVES], leaves, left, right, weights, bias)
            state2, memory2 = encode(right[node - LEAVES], leaves, left, right, weights, bias)
            gates = ag.concat([state1, state2], axis=0) @ weights + bias
            take, first, second, new, give = ag.split(gates, 5)
            memory = ag.sigmoid(first) * memory1 + ag.sigmoid(second) * memory2 + ag.sigmoid(take) * ag.tanh(new)
            return ag.sigmoid(give) * ag.tanh(memory), memory

        @stage
        def gradients(leaves, left, right, weights, bias):
            with ag.GradientTape() as tape:
                tape.watch([weights, bias])
                loss = ag.constant(0.0)
                for tree in ag.range(TREES):
                    state, _ = encode(
                        ag.constant(2 * LEAVES - 2), leaves[tree], left[tree], right[tree], weights, bias
                    )
                    loss += ag.reduce_sum(state * state)
            return tape.gradient(loss, [weights, bias])

        data, weights = self.inputs()
        arguments = [ag.constant(x) for x in data + weights]
        return lambda: gradients(*arguments)

    def numpy(self) -> Thunk:
        def sigmoid(x):
            return 1 / (1 + np.exp(-x))

        def one(leaves, left, right, weights, bias, d_weights, d_bias):
            nodes = 2 * LEAVES - 1
            states, memories = np.empty((2, nodes, WIDTH), np.float32)
            states[:LEAVES], memories[:LEAVES] = np.tanh(leaves), leaves
            saved = []
            for k, (i, j) in enumerate(zip(left, right, strict=True), LEAVES):
                both = np.concatenate([states[i], states[j]])
                take, first, second, new, give = np.split(both @ weights + bias, 5)
                take, first, second, give = sigmoid(take), sigmoid(first), sigmoid(second), sigmoid(give)
                new = np.tanh(new)
                memories[k] = first * memories[i] + second * memories[j] + take * new
                shown = np.tanh(memories[k])
                states[k] = give * shown
                saved.append((both, take, first, second, new, give, shown))
            d_states, d_memories = np.zeros((2, nodes, WIDTH), np.float32)
            d_states[-1] = 2 * states[-1]
            d_gates = np.empty((LEAVES - 1, 5 * WIDTH), np.float32)
            for k in reversed(range(LEAVES - 1)):
                i, j = left[k], right[k]
                _, take, first, second, new, give, shown = saved[k]
                d_state = d_states[LEAVES + k]
                d_memory = d_memories[LEAVES + k] + d_state * give * (1 - shown * shown)
                d_gates[k] = np.concatenate([
                    d_memory * new * take * (1 - take), d_memory * memories[i] * first * (1 - first),
                    d_memory * memories[j] * second * (1 - second), d_memory * take * (1 - new * new),
                    d_state * shown * give * (1 - give),
                ])
                d_memories[i], d_memories[j] = d_memory * first, d_memory * second
                d_both = weights @ d_gates[k]
                d_states[i], d_states[j] = d_both[:WIDTH], d_both[WIDTH:]
            d_weights += np.stack([s[0] for s in saved]).T @ d_gates
            d_bias += d_gates.sum(axis=0)

        def gradients(leaves, left, right, weights, bias):
            d_weights, d_bias = np.zeros_like(weights), np.zeros_like(bias)
            for tree in zip(leaves, left, right, strict=True):
                one(*tree, weights, bias, d_weights, d_bias)
            return d_weights, d_bias

        data, weights = self.inputs()
        return lambda: gradients(*data, *weights)

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        @tf.function(jit_compile=xla)
        def gradients(leaves, left, right, weights, bias):
            with tf.GradientTape() as tape:
                tape.watch([weights, bias])
                loss = tf.constant(0.0)
                for tree in tf.range(TREES):
                    states = tf.TensorArray(tf.float32, 2 * LEAVES - 1, clear_after_read=False, element_shape=[WIDTH])
                    memories = tf.TensorArray(tf.float32, 2 * LEAVES - 1, clear_after_read=False, element_shape=[WIDTH])
                    for k in tf.range(LEAVES):
                        states = states.write(k, tf.tanh(leaves[tree, k]))
                        memories = memories.write(k, leaves[tree, k])
                    for k in tf.range(LEAVES - 1):
                        i, j = left[tree, k], right[tree, k]
                        both = tf.concat([states.read(i), states.read(j)], 0)
                        gates = tf.linalg.matvec(weights, both, transpose_a=True) + bias
                        take, first, second, new, give = tf.split(gates, 5)
                        memory = tf.sigmoid(first) * memories.read(i) + tf.sigmoid(second) * memories.read(j)
                        memory += tf.sigmoid(take) * tf.tanh(new)
                        states = states.write(LEAVES + k, tf.sigmoid(give) * tf.tanh(memory))
                        memories = memories.write(LEAVES + k, memory)
                    root = states.read(2 * LEAVES - 2)
                    loss += tf.reduce_sum(root * root)
            return tape.gradient(loss, [weights, bias])

        data, weights = self.inputs()
        arguments = [tf.constant(x) for x in data + weights]
        return lambda: gradients(*arguments)

    def torch(self) -> Thunk:
        import torch

        (leaves, left, right), weights = self.inputs()
        leaves, left, right = torch.from_numpy(leaves), left.tolist(), right.tolist()
        weights, bias = (torch.from_numpy(w).requires_grad_() for w in weights)

        def encode(node, tree):
            if node < LEAVES:
                return torch.tanh(leaves[tree, node]), leaves[tree, node]
            state1, memory1 = encode(left[tree][node - LEAVES], tree)
            state2, memory2 = encode(right[tree][node - LEAVES], tree)
            take, first, second, new, give = (torch.cat([state1, state2]) @ weights + bias).chunk(5)
            memory = torch.sigmoid(first) * memory1 + torch.sigmoid(second) * memory2 + torch.sigmoid(take) * torch.tanh(new)
            return torch.sigmoid(give) * torch.tanh(memory), memory

        def gradients():
            loss = sum(torch.sum(encode(2 * LEAVES - 2, tree)[0] ** 2) for tree in range(TREES))
            return torch.autograd.grad(loss, [weights, bias])

        return gradients
