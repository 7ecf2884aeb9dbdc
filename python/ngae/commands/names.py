"""The commands and what each does, in the order of `ngae --help`."""

COMMANDS = {
    "train": "train, judge and save a model (the main job)",
    "search": "look for better architectures with a trained model",
    "evaluate": "measure a trained model",
    "rank": "rank architectures from few labels",
    "data": "list, get, check, convert, sample and describe tables",
    "export": "write an architecture as JSON, DOT, SVG, PyTorch source or ONNX",
    "reproduce": "make the tables and figures of the paper anew",
    "report": "write one HTML file about a run and its searches",
    "explore": "look around in the latent space of a run, live in a browser",
    "status": "list runs and searches: state, progress, measures",
    "completion": "print a script that completes commands and flags in bash, zsh or fish",
    "doctor": "versions, backend and a self-test: what to paste into an issue",
}
