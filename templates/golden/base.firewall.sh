#!/bin/sh
# Loads the firewall with the ports where this machine's sshd listens: whatever the stack's config says, the way in stays open. With a file of
# rules as its argument it only looks whether nft takes them.
set -eu
# At boot this comes before sshd has made it, and sshd -T says nothing without.
mkdir -p /run/sshd
sshd=$(systemctl show -P MainPID ssh.service 2>/dev/null || echo 0)
ports=$({
    # Where it is told to listen. Its "port" lines would not do: they say 22 also where ListenAddress names another port.
    /usr/sbin/sshd -T 2>/dev/null | sed -nE 's/^listenaddress .*:([0-9]+)( .*)?$/\1/p'
    # Where it listens now: told otherwise, it goes on like this until it is restarted.
    ss -Hltnp 2>/dev/null | awk -v own=",pid=$sshd," 'index($0, own) { sub(/.*:/, "", $4); print $4 }'
    # Where systemd listens for it.
    if systemctl -q is-enabled ssh.socket 2>/dev/null; then
        systemctl show -P Listen ssh.socket | sed -nE 's/^.*:([0-9]+) \(Stream\)$/\1/p'
    fi
} | sort -nu | paste -sd , -)
if [ $# -gt 0 ]; then
    exec /usr/sbin/nft -c -D "ssh_ports={ ${ports:-22} }" -f "$1"
fi
exec /usr/sbin/nft -D "ssh_ports={ ${ports:-22} }" -f /etc/softmap/base/current/base/firewall.nft
