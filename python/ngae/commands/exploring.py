"""What `explore` does: loads a run, serves its page, says where it is."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import numpy as np

from ngae import console
from ngae.api import NGAE
from ngae.commands.banner import show_banner
from ngae.errors import RefusedError
from ngae.explore.config import ExploreConfig
from ngae.explore.explorer import Explorer
from ngae.explore.server import HOST, Server
from ngae.report.files import read_latents
from ngae.threads import one_thread


def opened(path: Path, config: ExploreConfig, device: str | None = None, space: str = "") -> Server:
    """Load a run and listen; nothing is answered yet.

    Args:
        path: The run folder.
        config: Port and sizes.
        device: Where the model is to be; None: where it was trained.
        space: The run's space, where it is code.

    Raises:
        RefusedError: No finished run, a space that is code and was not named, or the port is
            taken.
    """
    run = NGAE.load(path, device, space)
    show_banner(run.model.device)
    latents = read_latents(path)
    means = np.concatenate([latents["train_mean"], latents["test_mean"]]).astype(np.float64)
    explorer = Explorer(run, means, config.points)
    try:
        return Server(explorer, config.port, console.say)
    except OSError as error:
        raise RefusedError(
            f"--port {config.port}: expected a free port of {HOST}: {error.strerror}",
            remedy="pass --port 0 for any free one",
        ) from error


def serve(path: Path, config: ExploreConfig, device: str | None = None, space: str = "") -> int:
    """Serve the page until Ctrl-C; the exit code.

    Args:
        path: The run folder.
        config: Port, sizes, whether a browser is opened.
        device: Where the model is to be; None: where it was trained.
        space: The run's space, where it is code.
    """
    # A request is a few ms of work in a hundred small loops: beside other work, threads would wait
    # for each other in every one of them.
    with one_thread(), opened(path, config, device, space) as server:
        console.say(f"explore: {server.address} (this machine only; Ctrl-C ends)")
        if config.browser:
            webbrowser.open(server.address)
        server.serve_forever()
    return 0
