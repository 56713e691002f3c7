#!/bin/sh
# Hands the machine's programs the files of the base. What a machine cannot do (a container's kernel settings are the engine's) is said, not
# hidden: here, and by the deployment, which reads the notes.
set -u
mkdir -p /run/softmap
: > /run/softmap/base.notes
said() { echo "softmap base: $*" | tee -a /run/softmap/base.notes; }

if [ -w /proc/sys/net/core/somaxconn ]; then
    # Not sysctl: that one sets no names with a star.
    /usr/lib/systemd/systemd-sysctl /etc/sysctl.d/60-softmap.conf || said "some kernel limits were not taken"
else
    said "the kernel limits cannot be set here: /proc/sys is read-only"
fi

# It loses nothing by a restart, and gets one only when its limits are newer than it.
started=$(systemctl show -P ExecMainStartTimestamp --timestamp=unix systemd-journald.service)
[ "$(stat -c %Z /etc/systemd/journald.conf.d/60-softmap.conf)" -lt "${started#@}" ] || systemctl try-restart systemd-journald.service

if [ -d /sys/kernel/security/apparmor ] && command -v apparmor_parser >/dev/null; then
    apparmor_parser -r -W /etc/apparmor.d/softmap-tor /etc/apparmor.d/softmap-nginx /etc/apparmor.d/softmap-onionbalance || said "the AppArmor profiles were not taken"
else
    said "this kernel has no AppArmor: the services have the sandbox of their units alone"
fi

for service in systemd-timesyncd chrony chronyd ntpsec ntp openntpd; do
    systemctl -q is-active "$service.service" && exit 0
done
# A container has the clock of its machine.
systemd-detect-virt -q --container || said "no time service runs, and Tor needs the right time. Next: apt-get install systemd-timesyncd"
exit 0
