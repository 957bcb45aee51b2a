"""One run of one module's tests in a process of its own: python -m benchmarks.transparency.worker MODE NAME.

MODE is plain (not converted), converted, or traced (converted, each test inside an active trace). The last line of
the output is the result as JSON.
"""

import gc
import json
import os
import sys
import tempfile
import time
import traceback
import unittest
from typing import Any

from autograph.load import conversion
from benchmarks.transparency.modules import BY_NAME
from benchmarks.transparency.replace import Replacer

MODES = ("plain", "converted", "traced")


class Conversions:
    """How long conversions took: each happens once, and is not what running converted code costs."""

    seconds = 0.0

    @classmethod
    def measure(cls) -> None:
        """From now on, conversions are timed."""
        plainly = conversion._convert

        def convert(function: Any, shortcuts: bool) -> Any:
            started = time.perf_counter()
            try:
                return plainly(function, shortcuts)
            finally:
                cls.seconds += time.perf_counter() - started

        conversion._convert = convert


class Result(unittest.TestResult):
    """Outcomes by the id of the test: an error message, or nothing; and the time of each but for conversions."""

    def __init__(self) -> None:
        super().__init__()
        self.outcomes: dict[str, str] = {}
        self.times: dict[str, float] = {}
        self._started = 0.0

    def startTest(self, test: unittest.TestCase) -> None:
        """A test begins: it passes until it fails."""
        super().startTest(test)
        self.outcomes.setdefault(test.id(), "")
        self._started = time.perf_counter() - Conversions.seconds

    def stopTest(self, test: unittest.TestCase) -> None:
        """A test has ended."""
        self.times[test.id()] = time.perf_counter() - Conversions.seconds - self._started
        super().stopTest(test)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        """A skipped test is none."""
        super().addSkip(test, reason)
        self.outcomes.pop(test.id(), None)

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        """An error, also of a class's or module's set-up."""
        self._note(test, err)

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        """A failure."""
        self._note(test, err)

    def addSubTest(self, test: unittest.TestCase, subtest: Any, err: Any) -> None:
        """One failing part makes the test fail."""
        if err is not None:
            self._note(test, err)

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        """A test that CPython expects to fail."""
        self.outcomes[test.id()] = "unexpected success"

    def _note(self, test: unittest.TestCase, err: Any) -> None:
        if not self.outcomes.get(test.id()):
            self.outcomes[test.id()] = "".join(traceback.format_exception(*err))


def trace_each_test() -> None:
    """From now on each test runs inside a trace of its own, as a staged function's body does."""
    from runtime.tensor.trace import Trace, tracing

    plainly = unittest.TestCase.run

    def run(self: unittest.TestCase, result: Any = None) -> Any:
        with tracing(Trace(self.id())) as trace:
            trace.journal.append({})
            return plainly(self, result)

    unittest.TestCase.run = run  # type: ignore[method-assign]


def main(mode: str, name: str) -> None:
    """Convert, run, print."""
    from test import support

    support.use_resources = []  # neither network nor minutes of computing
    Conversions.measure()
    subject = BY_NAME[name]
    replacer = Replacer(subject.convert)
    if mode != "plain":
        replacer.install()
    if mode == "traced":
        trace_each_test()
    result = Result()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        tests = unittest.defaultTestLoader.loadTestsFromNames(subject.tests)
        gc.collect()
        gc.freeze()  # collections would otherwise look through all that was imported, in whichever test they fall
        stdout, sys.stdout = sys.stdout, sys.stderr
        try:
            tests.run(result)
        finally:
            sys.stdout = stdout
            os.chdir("/")
    print(json.dumps({
        "outcomes": result.outcomes,
        "times": result.times,
        "converted": replacer.converted,
        "refused": replacer.refused,
    }))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
