"""The enforcing gate survives `kill -9` of its server or its front, and closes when both die."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import DRIVER, Gate, users

from benchmarks import kills
from benchmarks.killing import Broken, Killing, Whom

Start = Callable[[int], Killing]
