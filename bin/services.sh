# shellcheck shell=bash disable=SC2034,SC2154
# Private PostgreSQL, Redis and Docker Engine, on Unix sockets only, and images for tests.
#
# Needs lib.sh. Folders are given by the caller; what was started is stopped when the script ends.

# ---- PostgreSQL ------------------------------------------------------------------------------

# PostgreSQL refuses to be root: root runs it as the user that its package made.
as_postgres() {
  if ((EUID == 0)); then
    setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"
  else
    "$@"
  fi
}

# postgres_may_enter FOLDER
postgres_may_enter() { as_postgres test -x "$1" 2>/dev/null; }

# make_cluster BIN DATA: an empty database cluster, whole or not at all.
make_cluster() {
  local new=$2.new
  rm -rf "$new"
  mkdir -p "$new"
  chmod 700 "$new"
  ((EUID != 0)) || chown postgres: "$new"
  as_postgres "$1/initdb" -D "$new" -U pierhead -A trust --encoding=UTF8 --locale=C.UTF-8 --no-sync \
    >"$logs/initdb.log" 2>&1 || {
    show_end "$logs/initdb.log"
    rm -rf "$new"
    fail 'PostgreSQL could not make its folder' "is there room in $(dirname "$2")?"
  }
  mv "$new" "$2"
}

# start_postgres DATA RUN DATABASE [SETTING…]: its address is in $database_url.
start_postgres() {
  local data=$1 socket=$2/postgres database=$3 bin
  shift 3
  bin=$(postgres_bin)
  [[ -d $data ]] || make_cluster "$bin" "$data"
  local made_by
  made_by=$(as_postgres cat "$data/PG_VERSION")
  [[ $bin != /usr/lib/postgresql/* ]] || bin=/usr/lib/postgresql/$made_by/bin
  [[ -x $bin/postgres ]] || fail "the data in $data are PostgreSQL $made_by's, which is gone" \
    "install postgresql-$made_by, or remove that folder to begin anew"
  mkdir -p "$socket"
  chmod 700 "$socket"
  ((EUID != 0)) || chown postgres: "$socket"
  local command=("$bin/postgres" -D "$data" -c listen_addresses= -c unix_socket_permissions=0700)
  command+=(-c "unix_socket_directories=$socket")
  local setting
  for setting; do command+=(-c "$setting"); done
  ((EUID != 0)) || command=(setpriv --reuid=postgres --regid=postgres --init-groups --pdeathsig TERM -- "${command[@]}")
  start "$logs/postgres.log" "${command[@]}"
  postgres_pid=$started
  at_end stop_postgres
  ready_within 30 "$postgres_pid" as_postgres "$bin/pg_isready" -q -h "$socket" -U pierhead -d postgres || {
    show_end "$logs/postgres.log"
    fail 'PostgreSQL did not start'
  }
  as_postgres "$bin/createdb" -h "$socket" -U pierhead "$database" 2>"$logs/createdb.log" \
    || grep -q 'already exists' "$logs/createdb.log" || fail "$(<"$logs/createdb.log")"
  database_url="postgres:///$database?user=pierhead&host=$(url_escape "$socket")"
}

# SIGINT is PostgreSQL's fast way out: clients are told, nothing is lost.
stop_postgres() { stop "$postgres_pid" INT 20; }

# url_escape TEXT: percent-encoded, slashes kept.
url_escape() {
  local text=$1 i c LC_ALL=C
  for ((i = 0; i < ${#text}; i++)); do
    c=${text:i:1}
    case $c in
      [A-Za-z0-9/._~-]) printf %s "$c" ;;
      *) printf '%%%02X' "'$c" ;;
    esac
  done
}

# ---- Redis -----------------------------------------------------------------------------------

# start_redis DATA RUN [OPTION…]: its address is in $redis_url.
start_redis() {
  local data=$1 socket=$2/redis.sock version
  shift 2
  version=$(redis-server --version | grep -o 'v=[0-9.]*')
  at_least Redis 6.2 "${version#v=}"
  mkdir -p "$data"
  rm -f "$socket"
  start "$logs/redis.log" redis-server --port 0 --unixsocket "$socket" --unixsocketperm 700 \
    --dir "$data" --daemonize no "$@"
  redis_pid=$started
  at_end stop_redis
  ready_within 30 "$redis_pid" redis_answers "$socket" || {
    show_end "$logs/redis.log"
    fail 'Redis did not start'
  }
  redis_url="redis+unix://$(url_escape "$socket")"
}

redis_answers() { [[ $(redis-cli -s "$1" ping) == PONG ]]; }

stop_redis() { stop "$redis_pid" TERM 20; }

# ---- Docker Engine ---------------------------------------------------------------------------

# engine METHOD PATH [CURL-OPTION…]: one request to the engine at $engine_socket.
engine() { curl -fsS --unix-socket "$engine_socket" -X "$1" "http://engine$2" "${@:3}"; }

engine_answers() { [[ $(engine GET /_ping --max-time 5 2>/dev/null) == OK ]]; }

# find_engine: the engine that answers, in $engine_socket.
find_engine() {
  case ${DOCKER_HOST:-} in
    '') engine_socket=/var/run/docker.sock ;;
    unix://*) engine_socket=${DOCKER_HOST#unix://} ;;
    *) fail "DOCKER_HOST is $DOCKER_HOST, and only engines behind unix:// can be used yet" \
      'unset it, or point it at a local engine' ;;
  esac
  if engine_answers; then
    ! engine GET /info | grep -q 'name=rootless' \
      || fail "the engine at $engine_socket is rootless: its containers cannot be reached from here" \
        'point DOCKER_HOST at an engine that runs as root'
    return
  fi
  local problem="no Docker Engine answers at $engine_socket"
  if [[ -S $engine_socket && ! -w $engine_socket ]]; then
    problem="the Docker Engine at $engine_socket is closed to you; its group is $(stat -c %G "$engine_socket")"
    say engine "$problem"
  fi
  [[ -z ${DOCKER_HOST:-} ]] || fail "$problem" 'mend that, or unset DOCKER_HOST: then one is started for you'
  return 1
}

# start_engine DATA RUN NETWORK keep|remove: a private engine, in $engine_socket.
#
# It lives as long as descriptor 8 is open here: however this script ends, it ends too.
start_engine() {
  ask_for_root 'start a Docker Engine of its own'
  engine_socket=$2/docker.sock
  exec 8> >(trap '' INT; as_root bash "$root/bin/engine" "$1" "$2" "$3" "$(id -g)" "$4" >"$logs/engine.log" 2>&1 9>&-)
  engine_pid=$!
  at_end stop_engine
  ready_within 120 "$engine_pid" engine_answers || {
    explain_engine "$logs/engine.log"
    fail 'the Docker Engine did not start' "${explanation[@]}"
  }
}

stop_engine() {
  local deadline=0
  exec 8>&-
  # A shell that ends by a signal has forgotten its children.
  wait "$engine_pid" 2>/dev/null || deadline=$((SECONDS + 60))
  while alive "$engine_pid" && ((SECONDS < deadline)); do sleep 0.1; done
}

# explain_engine LOG: in $explanation, which right is missing, as far as the log tells.
explain_engine() {
  show_end "$1"
  explanation=('in a container, run that with --privileged; or set DOCKER_HOST=unix:///an/engine.sock')
  case $(<"$1") in
    *'control groups cannot'* | *'cgroup isn'*mounted*)
      explanation=('this machine lets nobody use control groups (/sys/fs/cgroup)' "${explanation[@]}") ;;
    *'bridge cannot'* | *'peration not permitted'*)
      explanation=('this machine lets nobody change networks and mounts, root included' "${explanation[@]}") ;;
    *) explanation=("${explanation[@]: -1}") ;;
  esac
}

# free_network: a number N such that nothing on this machine is in 10.N.0.0/16.
free_network() {
  local taken number try first=$((RANDOM % 64))
  taken=$(ip -4 route; ip -4 -o addr)
  for ((try = 0; try < 64; try++)); do
    number=$((128 + (first + try) % 64))
    if ! grep -q "[ /]10\.$number\." <<<"$taken"; then
      echo "$number"
      return
    fi
  done
  fail 'every network from 10.128.0.0/16 to 10.191.0.0/16 is taken on this machine'
}

# ---- What was deployed -----------------------------------------------------------------------

# deployed PATH DOMAIN: ids of what carries our label, of the kind that PATH lists.
deployed() {
  engine GET "$1" -G --data all=1 --data-urlencode "filters={\"label\":[\"$2/environment\"]}" \
    | sed 's/"Id":"/\n&/g' | sed -n 's/^"Id":"\([^"]*\)".*/\1/p'
}

# stop_deployed DOMAIN: stops containers, which keep their addresses for the next start.
stop_deployed() {
  local id requests=()
  for id in $(deployed /containers/json "$1"); do
    engine POST "/containers/$id/stop?t=5" -o /dev/null &
    requests+=("$!")
  done
  ((${#requests[@]} == 0)) || wait "${requests[@]}"
}

# start_deployed DOMAIN: starts them again. Some share the network of another, which may come later
# in the list: they are started in the second round.
start_deployed() {
  local id
  for id in $(deployed /containers/json "$1" && deployed /containers/json "$1"); do
    engine POST "/containers/$id/start" -o /dev/null 2>/dev/null || true
  done
}

# remove_deployed DOMAIN: takes away everything that was deployed.
remove_deployed() {
  local id
  for id in $(deployed /containers/json "$1"); do engine DELETE "/containers/$id?force=1&v=1" -o /dev/null; done
  for id in $(deployed /networks "$1"); do engine DELETE "/networks/$id" -o /dev/null; done
  for id in $(deployed /images/json "$1"); do engine DELETE "/images/$id?force=1" -o /dev/null; done
}

# ---- The base image --------------------------------------------------------------------------

base_image=busybox:stable

has_base_image() { engine GET "/images/$base_image/json" -o /dev/null 2>/dev/null; }

# ensure_base_image: the engine's own, the registry's, or one made of Debian's busybox.
ensure_base_image() {
  ! has_base_image || return 0
  say image "$base_image: asking its registry, for 30 s at most"
  engine POST "/images/create?fromImage=${base_image%:*}&tag=${base_image#*:}" --max-time 30 -o "$logs/pull.log" 2>/dev/null || true
  ! has_base_image || return 0
  say '' 'no registry has it for us'
  make_base_image
}

# make_base_image: a file system with busybox and a link for each of its commands.
make_base_image() {
  need busybox
  say image "$base_image: made of Debian's busybox-static"
  local tree=$scratch/base applet
  rm -rf "$tree"
  mkdir -p "$tree"/{bin,dev,etc,home,proc,root,sys,tmp,var}
  chmod 1777 "$tree/tmp"
  cp "$(command -v busybox)" "$tree/bin/busybox"
  for applet in $("$tree/bin/busybox" --list); do
    [[ $applet == busybox ]] || ln -s busybox "$tree/bin/$applet"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n' >"$tree/etc/passwd"
  printf 'root:x:0:\nnobody:x:65534:\n' >"$tree/etc/group"
  tar -C "$tree" --owner=0 --group=0 --numeric-owner -cf - . \
    | engine POST "/images/create?fromSrc=-&repo=${base_image%:*}&tag=${base_image#*:}&changes=CMD%20%5B%22sh%22%5D" \
      -H 'Content-Type: application/x-tar' -H 'Expect:' --data-binary @- -o "$logs/import.log"
  rm -rf "$tree"
  has_base_image || {
    show_end "$logs/import.log"
    fail "the engine did not take the image $base_image"
  }
}

# ---- The image of the hooks ------------------------------------------------------------------

# What runs composer, npm, pip and make, as Debian and Ubuntu call it. Where the package of node
# brings npm, there is none of that name that fits it.
hooks_packages=(base-files base-passwd bash coreutils dash diffutils findutils gawk grep gzip hostname
  sed tar xz-utils unzip ca-certificates make nodejs php-cli php-curl php-mbstring php-xml php-zip
  composer python3 python3-pip)

# ensure_hooks_image: an image with these, its name in $hooks_image; the one that TEST_HOOKS_IMAGE
# names, or one that is made once for each recipe and release of the system, and kept as an archive.
ensure_hooks_image() {
  hooks_image=${TEST_HOOKS_IMAGE:-}
  [[ -z $hooks_image ]] || return 0
  command -v apt-get >/dev/null || fail 'the image for hooks is made of packages of Debian or Ubuntu' \
    'set TEST_HOOKS_IMAGE to an image of the engine with node, npm, php, composer, python3, pip and make'
  local cache=${XDG_CACHE_HOME:-$HOME/.cache}/pierhead recipe archive began=$SECONDS
  recipe=$({ declare -f make_hooks_tree finish_hooks_tree && echo "${hooks_packages[@]}" \
    && cat /etc/os-release && dpkg --print-architecture; } | sha256sum | cut -c 1-16)
  hooks_image=pierhead-hooks:$recipe
  ! engine GET "/images/$hooks_image/json" -o /dev/null 2>/dev/null || return 0
  archive=$cache/hooks-$recipe.tar.gz
  if [[ ! -f $archive ]]; then
    say image "$hooks_image: made of packages of this system, about 90 MB"
    mkdir -p "$cache"
    make_hooks_tree "$scratch/hooks"
    tar -C "$scratch/hooks/tree" --owner=0 --group=0 --numeric-owner -c . | gzip -1 >"$archive.new"
    rm -rf "$scratch/hooks" "$cache"/hooks-*.tar.gz
    mv "$archive.new" "$archive"
  fi
  engine POST "/images/create?fromSrc=-&repo=${hooks_image%:*}&tag=$recipe" --data-binary "@$archive" \
    -H 'Content-Type: application/x-tar' -H 'Expect:' -o "$logs/hooks-image.log" || {
    show_end "$logs/hooks-image.log"
    fail "the engine did not take the image $hooks_image"
  }
  say '' "$hooks_image: there after $((SECONDS - began)) s"
}

# make_hooks_tree FOLDER: packages, unpacked in FOLDER/tree; what they would do when they are
# installed is not done, so that it takes no root.
make_hooks_tree() {
  local folder=$1 package
  rm -rf "$folder"
  mkdir -p "$folder"/{cache/archives/partial,tree/usr/{bin,sbin,lib,lib64}}
  : >"$folder/status"
  fetch_hooks_packages "$folder" npm || fetch_hooks_packages "$folder" || {
    ask_for_root 'ask for new lists of packages'
    patiently "$logs/apt-update.log" as_root apt-get -q update || true
    fetch_hooks_packages "$folder" npm || fetch_hooks_packages "$folder" || {
      show_end "$logs/hooks-packages.log"
      fail 'the packages for the image of the hooks cannot be had' "they are: ${hooks_packages[*]} npm"
    }
  }
  for package in bin sbin lib lib64; do ln -s "usr/$package" "$folder/tree/$package"; done
  for package in "$folder"/cache/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x -C "$folder/tree" --no-same-owner --keep-directory-symlink \
      --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*'
  done
  finish_hooks_tree "$folder/tree"
}

# fetch_hooks_packages FOLDER [PACKAGE]: these and what they need, as the system's own apt gets them,
# with nothing installed.
fetch_hooks_packages() {
  patiently "$logs/hooks-packages.log" apt-get -qy --download-only --no-install-recommends \
    -o Dir::State::status="$1/status" -o Dir::Cache="$1/cache" -o Debug::NoLocking=1 \
    -o APT::Sandbox::User= install "${hooks_packages[@]}" "${@:2}"
}

# finish_hooks_tree TREE: what the packages would have done to be usable.
finish_hooks_tree() {
  local tree=$1 file php
  cp "$tree/usr/share/base-passwd/passwd.master" "$tree/etc/passwd"
  cp "$tree/usr/share/base-passwd/group.master" "$tree/etc/group"
  cat "$tree"/usr/share/ca-certificates/mozilla/*.crt >"$tree/etc/ssl/certs/ca-certificates.crt"
  ln -s gawk "$tree/usr/bin/awk"
  php=$(find "$tree/usr/bin" -name 'php[0-9]*' -printf '%f\n' | sort -V | tail -n 1)
  ln -s "$php" "$tree/usr/bin/php"
  for file in "$tree/usr/share/$php"-*/*/*.ini; do
    cp "$file" "$tree/etc/php/${php#php}/cli/conf.d/$(sed -n 's/^; *priority=//p' "$file")-$(basename "$file")"
  done
  # Images that are made for Python let pip install, too.
  rm -f "$tree"/usr/lib/python3*/EXTERNALLY-MANAGED
  chmod 1777 "$tree/tmp"
}
