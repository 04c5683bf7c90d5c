"""JupyterLab's server as `make lab` starts it."""

from jupyter_server.services.kernels.websocket import KernelWebsocketHandler

_open = KernelWebsocketHandler.open


async def _open_without_delay(self, *arguments, **keywords):  # type: ignore[no-untyped-def]
    """Send each message of a kernel at once.

    By default a small message waits until the browser has acknowledged the one before it, up to 40 ms: Nagle's
    algorithm (RFC 896) against delayed acknowledgments. An explorer that Python answers would stutter.
    """
    self.set_nodelay(True)
    await _open(self, *arguments, **keywords)


KernelWebsocketHandler.open = _open_without_delay
