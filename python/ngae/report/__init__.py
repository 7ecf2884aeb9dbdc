"""One self-contained page about a run, made of the files in its folder and nothing else."""
