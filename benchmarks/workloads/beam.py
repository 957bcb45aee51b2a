"""Beam search with a small recurrent language model, until the best sentence has ended."""

import numpy as np

from benchmarks.workload import Thunk, Workload

BEAM, VOCABULARY, WIDTH, MOST, END = 4, 5000, 128, 30, 0


class BeamSearch(Workload):
    """The best sentence and its score."""

    name = "beam_search"
    what = "beam 4, vocabulary 5000, at most 30 words, stops when all have ended"
    tolerance = 1e-4

    def inputs(self) -> list[np.ndarray]:
        """Embeddings, state weights, output weights, bias of the end growing with every step."""
        random = np.random.default_rng(5)

        def normal(*shape):
            return random.standard_normal(shape, dtype=np.float32)

        return [
            normal(VOCABULARY, WIDTH) * np.float32(0.5), normal(WIDTH, WIDTH) * np.float32(1 / WIDTH**0.5),
            normal(WIDTH, VOCABULARY) * np.float32(2 / WIDTH**0.5), np.float32(0.45),
        ]

    def autograph(self, stage) -> Thunk:
        import autograph as ag

        @stage
        def search(embeddings, weights, output, eager):
            states = ag.zeros([BEAM, WIDTH])
            scores = ag.constant([0.0] + [-1e9] * (BEAM - 1))
            words = ag.ones([BEAM], ag.int32)
            ended = ag.zeros([BEAM], ag.bool)
            sentences = ag.zeros([BEAM, MOST], ag.int32)
            step = 0
            while step < MOST and not ag.reduce_all(ended):
                states = ag.tanh(ag.gather(embeddings, words) + states @ weights)
                logits = states @ output
                logits = ag.concat([logits[:, :1] + eager * ag.cast(step, ag.float32), logits[:, 1:]], axis=1)
                log_probs = ag.nn.log_softmax(logits)
                stays = ag.one_hot(END, VOCABULARY, 0.0, -1e9)
                log_probs = ag.where(ended[:, None], stays, log_probs)
                scores, best = ag.math.top_k(ag.reshape(scores[:, None] + log_probs, [-1]), BEAM)
                parents, words = best // VOCABULARY, best % VOCABULARY
                states, ended = ag.gather(states, parents), ag.gather(ended, parents) | (words == END)
                sentences = ag.gather(sentences, parents)
                sentences = ag.where(ag.range(MOST) == step, words[:, None], sentences)
                step += 1
            return sentences[0], scores[0]

        arguments = [ag.constant(x) for x in self.inputs()]
        return lambda: search(*arguments)

    def numpy(self) -> Thunk:
        def search(embeddings, weights, output, eager):
            states = np.zeros((BEAM, WIDTH), np.float32)
            scores = np.array([0.0] + [-1e9] * (BEAM - 1), np.float32)
            words = np.ones(BEAM, np.int32)
            ended = np.zeros(BEAM, bool)
            sentences = np.zeros((BEAM, MOST), np.int32)
            for step in range(MOST):
                if ended.all():
                    break
                states = np.tanh(embeddings[words] + states @ weights)
                logits = states @ output
                logits[:, 0] += eager * np.float32(step)
                logits -= logits.max(axis=1, keepdims=True)
                logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
                logits[ended] = -1e9
                logits[ended, END] = 0
                logits += scores[:, None]
                flat = logits.reshape(-1)
                best = np.argpartition(flat, -BEAM)[-BEAM:]
                best = best[np.argsort(-flat[best])]
                scores = flat[best]
                parents, words = best // VOCABULARY, best % VOCABULARY
                states, ended = states[parents], ended[parents] | (words == END)
                sentences = sentences[parents]
                sentences[:, step] = words
            return sentences[0], scores[0]

        arguments = self.inputs()
        return lambda: search(*arguments)

    def tensorflow(self, xla: bool) -> Thunk:
        import tensorflow as tf

        @tf.function(jit_compile=xla)
        def search(embeddings, weights, output, eager):
            states = tf.zeros([BEAM, WIDTH])
            scores = tf.constant([0.0] + [-1e9] * (BEAM - 1))
            words = tf.ones([BEAM], tf.int32)
            ended = tf.zeros([BEAM], tf.bool)
            sentences = tf.zeros([BEAM, MOST], tf.int32)
            step = 0
            while step < MOST and not tf.reduce_all(ended):
                states = tf.tanh(tf.gather(embeddings, words) + states @ weights)
                logits = states @ output
                logits = tf.concat([logits[:, :1] + eager * tf.cast(step, tf.float32), logits[:, 1:]], axis=1)
                log_probs = tf.nn.log_softmax(logits)
                stays = tf.one_hot(END, VOCABULARY, 0.0, -1e9)
                log_probs = tf.where(ended[:, None], stays, log_probs)
                scores, best = tf.math.top_k(tf.reshape(scores[:, None] + log_probs, [-1]), BEAM)
                parents, words = best // VOCABULARY, best % VOCABULARY
                states, ended = tf.gather(states, parents), tf.gather(ended, parents) | (words == END)
                sentences = tf.gather(sentences, parents)
                sentences = tf.where(tf.range(MOST) == step, words[:, None], sentences)
                step += 1
            return sentences[0], scores[0]

        arguments = [tf.constant(x) for x in self.inputs()]
        return lambda: search(*arguments)

    def jax(self) -> Thunk:
        import jax
        from jax import numpy as jnp

        @jax.jit
        def search(embeddings, weights, output, eager):
            def going(carried):
                return (carried[0] < MOST) & ~jnp.all(carried[4])

            def one(carried):
                step, states, scores, words, ended, sentences = carried
                states = jnp.tanh(embeddings[words] + states @ weights)
                logits = states @ output
                logits = logits.at[:, 0].add(eager * step.astype(jnp.float32))
                log_probs = jax.nn.log_softmax(logits)
                stays = jnp.full(VOCABULARY, -1e9, jnp.float32).at[END].set(0)
                log_probs = jnp.where(ended[:, None], stays, log_probs)
                scores, best = jax.lax.top_k((scores[:, None] + log_probs).reshape(-1), BEAM)
                parents, words = best // VOCABULARY, best % VOCABULARY
                ended = ended[parents] | (words == END)
                sentences = sentences[parents].at[:, step].set(words)
                return step + 1, states[parents], scores, words, ended, sentences

            start = (
                jnp.int32(0), jnp.zeros((BEAM, WIDTH), jnp.float32),
                jnp.array([0.0] + [-1e9] * (BEAM - 1), jnp.float32), jnp.ones(BEAM, jnp.int32),
                jnp.zeros(BEAM, bool), jnp.zeros((BEAM, MOST), jnp.int32),
            )
            _, _, scores, _, _, sentences = jax.lax.while_loop(going, one, start)
            return sentences[0], scores[0]

        arguments = [jnp.asarray(x) for x in self.inputs()]
        return lambda: jax.block_until_ready(search(*arguments))

    def torch(self) -> Thunk:
        import torch

        def search(embeddings, weights, output, eager):
            states = torch.zeros(BEAM, WIDTH)
            scores = torch.tensor([0.0] + [-1e9] * (BEAM - 1))
            words = torch.ones(BEAM, dtype=torch.long)
            ended = torch.zeros(BEAM, dtype=torch.bool)
            sentences = torch.zeros(BEAM, MOST, dtype=torch.long)
            step = 0
            while step < MOST and not ended.all():
                states = torch.tanh(embeddings[words] + states @ weights)
                logits = states @ output
                logits[:, 0] += eager * step
                log_probs = torch.log_softmax(logits, dim=1)
                log_probs[ended] = -1e9
                log_probs[ended, END] = 0
                scores, best = torch.topk((scores[:, None] + log_probs).reshape(-1), BEAM)
                parents, words = best // VOCABULARY, best % VOCABULARY
                states, ended = states[parents], ended[parents] | (words == END)
                sentences = sentences[parents]
                sentences[:, step] = words
                step += 1
            return sentences[0], scores[0]

        *arrays, eager = self.inputs()
        arguments = [*map(torch.from_numpy, arrays), float(eager)]

        def run():
            with torch.no_grad():
                return search(*arguments)

        return run
