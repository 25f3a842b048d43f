#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The first process of the guest from here on: makes of it a machine like others, runs the command,
# and leaves its exit status.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb

mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
ln -sfn /proc/self/fd /dev/fd
mount -t bpf bpf /sys/fs/bpf
hostname guest
ip link set lo up

# Through a pipe: nothing takes it for a terminal.
stty -F /dev/ttyS1 raw
setsid --wait bash /run/exchange/command </dev/null 2>&1 | cat >/dev/ttyS1
echo "${PIPESTATUS[0]}" >/run/exchange/status
busybox poweroff -f
