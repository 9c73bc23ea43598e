# Source this file to work with kprl:    source setup.bash    (bash or zsh)
# It makes `kprl` and `ros2` commands and lets Python find rclpy, the messages and the library.
# Sourcing it again changes nothing. `make setup` must have run once.

if [ -n "${ZSH_VERSION:-}" ]; then
  _kprl_shell=zsh
  _kprl_root="$(cd "$(dirname "${(%):-%x}")" && pwd -P)"
else
  _kprl_shell=bash
  _kprl_root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
fi

# _kprl_remove VARIABLE FOLDER: take FOLDER out of a colon-separated list.
_kprl_remove() {
  eval "_kprl_list=\":\${$1:-}:\""
  while [ "$_kprl_list" != "${_kprl_list%%:"$2":*}" ]; do
    _kprl_list="${_kprl_list%%:"$2":*}:${_kprl_list#*:"$2":}"
  done
  _kprl_list="${_kprl_list#:}"
  export "$1=${_kprl_list%:}"
}

# Both leave a list that has the folder already as it is.
_kprl_prepend() {
  eval "_kprl_list=\":\${$1:-}:\""
  case "$_kprl_list" in *:"$2":*) return ;; esac
  eval "export $1=\"\$2\${$1:+:\$$1}\""
}

_kprl_append() {
  eval "_kprl_list=\":\${$1:-}:\""
  case "$_kprl_list" in *:"$2":*) return ;; esac
  eval "export $1=\"\${$1:+\$$1:}\$2\""
}

_kprl_source() {
  _kprl_venv="$_kprl_root/.venv"
  if [ ! -r "$_kprl_venv/kprl-ros" ] || [ ! -r "$_kprl_root/install/local_setup.$_kprl_shell" ]; then
    echo "kprl is not set up yet: run 'make setup' in $_kprl_root first." >&2
    return 1
  fi
  # What `make setup` built on: "wheels", or the name of a ROS distribution.
  _kprl_ros="$(cat "$_kprl_venv/kprl-ros")"
  if [ "$_kprl_ros" != "${ROS_DISTRO:-wheels}" ]; then
    echo "kprl was built on ROS '$_kprl_ros', but this shell has '${ROS_DISTRO:-no ROS distribution}':" \
      "source that distribution's setup.bash, or none, or run 'make setup' again here." >&2
    return 1
  fi

  export VIRTUAL_ENV="$_kprl_venv"
  _kprl_prepend PATH "$_kprl_venv/bin"
  if [ "$_kprl_ros" = wheels ]; then
    _kprl_prepend AMENT_PREFIX_PATH "$_kprl_venv"
    _kprl_prepend CMAKE_PREFIX_PATH "$_kprl_venv"
    for _kprl_folder in $(find "$_kprl_venv"/lib/python3*/site-packages -maxdepth 1 -name 'ros_*.libs'); do
      _kprl_prepend LD_LIBRARY_PATH "$_kprl_folder"
    done
    # Without this guard the ROS wheels start every Python process twice, to set the path that is set here.
    export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1
  else
    # A distribution's `ros2` and the nodes' entry points run on the system's Python, which does not see .venv.
    for _kprl_folder in "$_kprl_venv"/lib/python3*/site-packages; do
      _kprl_append PYTHONPATH "$_kprl_folder"
    done
  fi
  _kprl_prepend LD_LIBRARY_PATH "$_kprl_venv/lib"

  # The generated script reads variables that may be unset.
  case $- in *u*) _kprl_nounset=1; set +u ;; *) _kprl_nounset= ;; esac
  . "$_kprl_root/install/local_setup.$_kprl_shell"
  if [ -n "$_kprl_nounset" ]; then set -u; fi

  # The stand-in for `ros2` and `launch` serves only where the real ones are missing.
  _kprl_remove PATH "$_kprl_root/tools/ros2_standin/bin"
  _kprl_remove PYTHONPATH "$_kprl_root/tools/ros2_standin/python"
  if ! command -v ros2 >/dev/null 2>&1; then
    _kprl_append PATH "$_kprl_root/tools/ros2_standin/bin"
  fi
  # A folder named launch in the current folder is not the package: hence -P and the look at the origin.
  if ! python -P -c 'import importlib.util as u, sys; s = u.find_spec("launch"); sys.exit(not (s and s.origin))'; then
    _kprl_append PYTHONPATH "$_kprl_root/tools/ros2_standin/python"
  fi
}

_kprl_source
_kprl_status=$?
unset -f _kprl_source _kprl_prepend _kprl_append _kprl_remove
unset _kprl_shell _kprl_root _kprl_venv _kprl_ros _kprl_folder _kprl_list _kprl_nounset
# The last command's status is that of `source`: `return` here would end a script that runs this file instead.
(exit "$_kprl_status")
