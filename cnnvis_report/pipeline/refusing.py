"""Images that a network doesn't take although it has taken others: said in one line, and passed over."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor

from cnnvis_report.errors import CnnVisError
from cnnvis_report.examining import refusal
from cnnvis_report.pipeline.devices import is_out_of_memory
from cnnvis_report.subject import Subject


@contextmanager
def in_one_line(subject: Subject, images: Tensor) -> Iterator[None]:
    """While it is open, what the network says against the images becomes a BadRequest."""
    try:
        yield
    except CnnVisError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        with subject.held():
            raise refusal(subject.network, subject.name, images, error) from error
