"""The actor of a worker. It travels by value, so that a node without this package can still say that it has none."""

from typing import Any


def host_class() -> type:
    """A class whose instances hold a worker in a process of a cluster."""

    class ShardHost:
        def open(self, job: bytes) -> tuple[str, Any]:
            """Make the worker; the address of its node, and why it is of no use, where it isn't."""
            import pickle
            import socket

            import ray

            node = ray.util.get_node_ip_address() or socket.gethostname()
            try:
                from cnnvis_report.distributed.worker import ShardWorker

                self.worker = ShardWorker(pickle.loads(job))
            except Exception as error:
                return node, f"{type(error).__name__}: {error}"
            return node, self.worker.open()

        def run(self, method: str, *arguments: Any) -> Any:
            """Let the worker do something."""
            return getattr(self.worker, method)(*arguments)

    return ShardHost
