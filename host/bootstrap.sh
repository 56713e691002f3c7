# Becomes root and runs the Python program that comes on the rest of stdin. No secret is in this text.
host=$(uname -n) me=$(id -un) run=
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "$host: $me is not root and sudo is not installed. Next: install sudo and allow $me, or log in as root." >&2
    exit 1
  fi
  if ! said=$(sudo -n true </dev/null 2>&1); then
    echo "$host: $me cannot use sudo without a password. Next: put '$me ALL=(ALL) NOPASSWD: ALL' into /etc/sudoers.d/softmap, or log in as root. (sudo said: $said)" >&2
    exit 1
  fi
  run='sudo -n'
fi
if ! command -v python3 >/dev/null 2>&1; then
  echo "$host: installing python3"
  # One step at a time: the others find it installed. apt-daily holds locks too, most of all on a machine's first boot.
  if ! said=$($run flock -o /run/softmap-python3.lock sh -c '
    get() {
      tries=0
      until said=$(DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" 2>&1); do
        case $said in
          *"Could not get lock"* | *"Unable to lock"*) [ $((tries += 1)) -le 60 ] && sleep 5 ;;
          *) false ;;
        esac || { printf "%s\n" "$said"; exit 1; }
      done
    }
    command -v python3 >/dev/null || { get update && get --no-install-recommends install python3; }
  ' </dev/null 2>&1); then
    echo "$host: python3 is missing and cannot be installed. Next: see to the host's apt sources, or install python3. apt-get said:" >&2
    printf '%s\n' "$said" | tail -n 8 >&2
    exit 1
  fi
fi
# Who it is and from where, for the host's lock: sudo would drop both.
exec $run env SOFTMAP_BY="$me" SOFTMAP_FROM="${SSH_CONNECTION%% *}" python3 -I -u - "$@"
