#!/bin/sh
# Runs the PyTorch originals in an environment of their own, which is thrown away afterwards, and writes what
# they answer to tests/data/torch. A gigabyte to fetch; the answers are kept, so that no other test needs it.
set -e
here=$(dirname "$0")
environment=$(mktemp -d)
trap 'rm -rf "$environment"' EXIT
python3 -m venv "$environment"
"$environment/bin/pip" install --quiet "torch==2.13.0" numpy pillow
"$environment/bin/pip" install --quiet --no-deps torchvision  # its own dependency would be torch with CUDA
"$environment/bin/python" "$here/torch_answers.py" "$here/../data/torch"
