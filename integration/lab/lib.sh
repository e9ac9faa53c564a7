# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR
# Sourced by every lab command.

# Without it a failure inside $(…) goes unnoticed.
shopt -s inherit_errexit

LAB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$LAB/lib/base.sh"
. "$LAB/lib/apt.sh"
. "$LAB/lib/roots.sh"
. "$LAB/lib/image.sh"
. "$LAB/lib/bases.sh"
. "$LAB/lib/buildx.sh"
. "$LAB/lib/registry.sh"
. "$LAB/lib/net.sh"
. "$LAB/lib/engine.sh"
. "$LAB/lib/stand-in.sh"
