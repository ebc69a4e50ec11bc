"""A kernel's client that begins as soon as its kernel answers."""

from __future__ import annotations

import time
from queue import Empty
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from traitlets import Type

ANSWER_SECONDS, HEARD_SECONDS = 1.0, 0.05


class Client(AsyncKernelClient):
    """As Jupyter's own, which after the kernel's answer listens for a fifth of a second whether anything else comes.

    What a kernel says before its first cell belongs to no cell, and is passed over by its sender's number; it is enough
    to have heard on the channel of outputs that the kernel is idle again after this client's own question.
    """

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Until the kernel answers and its outputs can be heard; ``RuntimeError`` where it ended or time is up."""
        patience = time.monotonic() + (float("inf") if timeout is None else timeout)
        while True:
            asked = self.kernel_info()
            if await self._answered(asked):
                return
            if not await self.is_alive():
                raise RuntimeError("The kernel ended before it answered")
            if time.monotonic() > patience:
                raise RuntimeError(f"The kernel did not answer in {timeout} seconds")

    async def _answered(self, asked: str) -> bool:
        try:
            while True:
                reply = await self.get_shell_msg(timeout=ANSWER_SECONDS)
                if _of(reply, asked):
                    break
            while not _idle(said := await self.get_iopub_msg(timeout=HEARD_SECONDS)) or not _of(said, asked):
                pass
        except Empty:
            return False
        self._handle_kernel_info_reply(reply)
        return True


class Manager(AsyncKernelManager):
    """Starts a kernel, and gives the client above."""

    client_factory = Type(klass=Client)


def _of(message: dict[str, Any], asked: str) -> bool:
    return message["parent_header"].get("msg_id") == asked


def _idle(message: dict[str, Any]) -> bool:
    return message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"
