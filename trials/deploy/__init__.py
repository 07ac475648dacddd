"""The deployment trial: the container and the systemd units of `deploy/`, run for real. See docs/explain/deploy-trial.md."""
