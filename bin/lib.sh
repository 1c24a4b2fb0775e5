# shellcheck shell=bash disable=SC2034
# Words for people, rights, packages, waiting, stopping: for the scripts beside this file.

if ((BASH_VERSINFO[0] < 4 || (BASH_VERSINFO[0] == 4 && BASH_VERSINFO[1] < 4))); then
  echo 'bash 4.4 or later is needed' >&2
  exit 1
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Where Debian keeps what administrators run, which a user's PATH may lack.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

assume_yes=no # --yes: root is used without asking
root_allowed=no

# ---- Words -----------------------------------------------------------------------------------

# say VERB TEXT: one line of progress; no verb goes on with what was said before.
say() { printf '%-9s %s\n' "$1" "$2"; }

# fail PROBLEM [WHAT-TO-DO…]: says it and ends.
fail() {
  {
    printf '\n'
    say failed "$1"
    local line
    for line in "${@:2}"; do say '' "$line"; done
  } >&2
  exit 1
}

# quoted: what another program said, as part of what we say.
quoted() { sed 's/^/          | /'; }

# show_end FILE: the last lines of a log, as part of a failure.
show_end() {
  [[ -s $1 ]] || return 0
  say '' "last lines of $1:" >&2
  tail -n "${2:-15}" "$1" | quoted >&2
}

# patiently LOG COMMAND…: runs it with its output in LOG, and shows that it goes on. What a package
# starts for good must not get the descriptors that start closes too.
patiently() {
  local log=$1 began=$SECONDS ticker status=0
  shift
  while sleep 15; do say '' "$((SECONDS - began)) s: $(tail -n 1 "$log" | cut -c 1-70)"; done &
  ticker=$!
  "$@" >"$log" 2>&1 </dev/null 8>&- 9>&- || status=$?
  kill "$ticker" 2>/dev/null
  wait "$ticker" 2>/dev/null || true
  return "$status"
}

# ---- Rights ----------------------------------------------------------------------------------

# ask_for_root WHY: goes on only when root may be used. Where nobody can be asked, whoever is root
# already has said yes.
ask_for_root() {
  [[ $root_allowed == no ]] || return 0
  if ((EUID != 0)) && ! command -v sudo >/dev/null; then
    fail "root is needed to $1" "run this as root, or install sudo"
  fi
  if [[ $assume_yes == no && -t 0 ]]; then
    local answer
    read -rp "          root is needed to $1: go on? [Y/n] " answer
    [[ $answer =~ ^([Yy]|[Yy]es)?$ ]] || fail 'not allowed, nothing was changed'
  elif [[ $assume_yes == no ]] && ((EUID != 0)); then
    fail "root is needed to $1, and nobody is there to ask" 'run this again with --yes'
  fi
  ((EUID == 0)) || sudo -v || fail "sudo did not let you $1"
  root_allowed=yes
}

# as_root COMMAND…: runs it as root; ask first.
as_root() { if ((EUID == 0)); then "$@"; else sudo -- "$@"; fi; }

# ---- Programs --------------------------------------------------------------------------------

# packages_of PROGRAM: what Debian and Ubuntu call it.
packages_of() {
  case $1 in
    ssh | ssh-keygen) echo openssh-client ;;
    sshd) echo openssh-server ;;
    postgres) echo postgresql ;;
    redis-cli) echo redis-tools ;;
    cc) echo gcc libc6-dev ;;
    c++) echo g++ ;;
    ip | ss) echo iproute2 ;;
    mkfs.ext4) echo e2fsprogs ;;
    unshare) echo util-linux ;;
    dockerd) if [[ $(cat /sys/module/apparmor/parameters/enabled 2>/dev/null) == Y ]]; then
      echo docker.io apparmor # its engine cannot start a container without
    else
      echo docker.io
    fi ;;
    busybox) echo busybox-static ;;
    bwrap) echo bubblewrap ;;
    chromedriver) echo chromium chromium-driver ;;
    systemd-analyze) echo systemd ;;
    *) echo "$1" ;;
  esac
}

# has PROGRAM: whether a usable one is there.
has() {
  case $1 in
    postgres) postgres_bin >/dev/null ;;
    sshd) [[ -x /usr/sbin/sshd ]] ;;
    netavark) [[ -x /usr/lib/podman/netavark || -x /usr/libexec/podman/netavark ]] ;;
    busybox) command -v busybox >/dev/null && ! ldd "$(command -v busybox)" >/dev/null 2>&1 ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

# postgres_bin: the folder of the newest PostgreSQL that is new enough.
postgres_bin() {
  local folder version
  for folder in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -Vr); do
    version=$(basename "$(dirname "$folder")")
    if [[ -x $folder/initdb && $version =~ ^[0-9]+$ ]] && ((version >= 15)); then
      echo "$folder"
      return
    fi
  done
  folder=$(dirname "$(command -v initdb)" 2>/dev/null) || return 1
  [[ $("$folder/postgres" --version 2>/dev/null) =~ \ ([0-9]+) ]] || return 1
  ((BASH_REMATCH[1] >= 15)) && echo "$folder"
}

# need PROGRAM…: installs the packages of those that are missing.
need() {
  local program found missing=() packages=()
  for program; do
    has "$program" || missing+=("$program")
  done
  ((${#missing[@]} > 0)) || return 0
  for program in "${missing[@]}"; do
    for found in $(packages_of "$program"); do
      [[ " ${packages[*]} " == *" $found "* ]] || packages+=("$found")
    done
  done
  if ! command -v apt-get >/dev/null; then
    fail "missing here: ${missing[*]}" "install them with your system's packages, then run this again"
  fi
  say install "${packages[*]}"
  ask_for_root "install ${packages[*]}"
  install_packages "${packages[@]}"
  for program in "${missing[@]}"; do
    has "$program" || fail "$program is still not usable" \
      "this needs Debian 12, Ubuntu 24.04 or later"
  done
}

# install_packages PACKAGE…: with the lists of packages as they are, or else with new ones. That some
# list cannot be had need not matter for these.
install_packages() {
  local log
  log=$(mktemp)
  if ! patiently "$log" apt_install "$@"; then
    patiently "$log" as_root apt-get -q update || true
    patiently "$log" apt_install "$@" || {
      show_end "$log"
      rm -f "$log"
      fail "apt-get could not install $*" 'mend that, then run this again'
    }
  fi
  rm -f "$log"
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qy -o DPkg::Lock::Timeout=120 install --no-install-recommends "$@"
}

# at_least PROGRAM WANTED FOUND: refuses a version that is too old.
at_least() {
  [[ $(printf '%s\n' "$2" "$3" | sort -V | head -n 1) == "$2" ]] \
    || fail "$1 is $3, and $2 or later is needed" 'upgrade it, then run this again'
}

# ---- Waiting and stopping --------------------------------------------------------------------

alive() { kill -0 "$1" 2>/dev/null; }

# ready_within SECONDS PID COMMAND…: asks until the command succeeds; not when PID ends before.
ready_within() {
  local deadline=$((SECONDS + $1)) pid=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) && alive "$pid" || return 1
    sleep 0.1
  done
}

# start LOG COMMAND…: runs it in the background, its pid in $started.
#
# Ctrl-C is for the script, which stops everything in order: what it starts is in sessions of its
# own. When the script is killed outright the kernel tells them to end. Descriptors 8 and 9 are the
# script's own, the engine's lifeline and the lock: whoever else held them would keep them.
start() {
  local log=$1
  shift
  setpriv --pdeathsig TERM -- setsid -- "$@" </dev/null >"$log" 2>&1 8>&- 9>&- &
  started=$!
}

# stop PID SIGNAL SECONDS: ends it, in the end by force.
stop() {
  local deadline=$((SECONDS + $3))
  kill "-$2" "$1" 2>/dev/null || return 0
  while alive "$1"; do
    ((SECONDS < deadline)) || kill -KILL "$1" 2>/dev/null || true
    sleep 0.05
  done
}

endings=()

# at_end COMMAND: runs it when the script ends, however it ends; the last one first.
at_end() { endings+=("$1"); }

run_endings() {
  local status=$? i
  trap '' INT TERM HUP # what is being stopped is stopped whole
  set +eu
  for ((i = ${#endings[@]} - 1; i >= 0; i--)); do ${endings[i]}; done
  exit "$status"
}
trap run_endings EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# ---- Ports -----------------------------------------------------------------------------------

port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# check_port PORT SETTING=OTHER: says who has a port that is taken, and how to choose another.
check_port() {
  port_taken "$1" || return 0
  local who=''
  ! has ss || who=$(ss -Hltnp "sport = :$1" 2>/dev/null | grep -o 'users:(("[^"]*",pid=[0-9]*' | head -n 1)
  who=${who#users:((}
  who=${who//\"/}
  fail "port $1 is taken${who:+ by ${who/,pid=/, process }}" \
    "stop it, or choose another port: $2 ${0#"$PWD"/}"
}

# free_port: a port that nobody listens on.
free_port() {
  local port
  while port=$((20000 + RANDOM % 12000)) && port_taken "$port"; do :; done
  echo "$port"
}
