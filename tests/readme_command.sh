#!/bin/sh
# Prints the shell command of README.md that stands under the mark <!-- main --> or <!-- test -->.
set -eu
awk -v mark="<!-- $1 -->" '
  $0 == mark { wanted = 1; next }
  wanted && /^```/ { if (inside) exit; inside = 1; next }
  inside { print }
' "$(dirname "$0")/../README.md"
