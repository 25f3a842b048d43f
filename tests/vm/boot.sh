#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# boot.sh KERNEL EXCHANGE COMMAND: boots the kernel that fetch_kernel.sh left in the directory KERNEL
# in QEMU, and runs a shell command there as root, in the directory that this was called from. The
# guest sees this machine's files, and what it writes is gone afterwards, but for the directory
# EXCHANGE, which it has as /run/exchange.
#
# Prints what the command prints. The exit status is the command's; 124 when VM_SECONDS (3,600) were
# over; 125 when the guest died, after the last lines of its console, which is EXCHANGE/console.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
cpus=2 memory_mib=2048
seconds=${VM_SECONDS:-3600}

fail() {
  echo "boot.sh: $1" >&2
  exit "${2:-125}"
}

# What the guest needs before it sees this machine's files: a shell, and the modules to see them.
make_initramfs() {
  local root=$1 module path
  mkdir -p "$root"/{bin,modules,proc,sys,dev,lower,upper,root}
  cp "$(command -v busybox)" "$root/bin/"
  cp "$here/guest_init" "$root/init"
  ln -s "$kernel" "$scratch/lib"  # modprobe looks for lib/modules/RELEASE
  for module in virtio_pci 9pnet_virtio 9p overlay; do
    modprobe -d "$scratch" -S "$release" --show-depends "$module" ||
      fail "kernel $release has no module $module"
  done | awk '$1 == "insmod" && !seen[$2]++ {print $2}' >"$scratch/modules"
  while read -r path; do
    local name=${path##*/}
    case $name in
      *.xz) xz -dc "$path" >"$root/modules/${name%.xz}" ;;
      *) cp "$path" "$root/modules/" ;;
    esac
    basename "${name%.xz}" >>"$root/modules/order"
  done <"$scratch/modules"
  (cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null) | gzip -1 >"$scratch/initramfs"
}

# A directory of this machine, under a name that guest_init mounts it by.
share() {
  local name=$1 path=$2 more=${3:-}
  shares+=(-fsdev "local,id=$name,path=$path,security_model=none,multidevs=remap$more"
    -device "virtio-9p-pci,fsdev=$name,mount_tag=$name")
}

[ $# -eq 3 ] || fail "usage: boot.sh KERNEL EXCHANGE COMMAND" 2
kernel=$(readlink -f "$1") exchange=$(readlink -f "$2")
release=$(cat "$kernel/release") || fail "no kernel in $kernel; fetch_kernel.sh makes one" 2
rm -f "$exchange/status"
cp "$here/guest_run.sh" "$exchange/"
printf 'cd %q\n%s\n' "$PWD" "$3" >"$exchange/command"

scratch=$(mktemp -d) qemu=
# shellcheck disable=SC2317  # reached through the trap
end_qemu() {
  [ -z "$qemu" ] || kill "$qemu" 2>/dev/null || true
  wait
  rm -rf "$scratch"
}
trap end_qemu EXIT
trap 'exit 130' INT TERM

make_initramfs "$scratch/initramfs.d"
shares=()
share host / ,readonly=on
share modules "$kernel/modules" ,readonly=on
share exchange "$exchange"
# The first serial line is the guest's console, the second what the command prints. nokaslr and
# mitigations=off save time, of which emulation leaves little.
timeout --kill-after=10 "$seconds" qemu-system-x86_64 -nodefaults -no-user-config -no-reboot \
  -machine q35 -accel tcg,thread=multi -cpu max,la57=off -smp "$cpus" -m "$memory_mib" -display none \
  -serial "file:$exchange/console" -serial stdio "${shares[@]}" -device virtio-rng-pci \
  -kernel "$kernel/vmlinuz" -initrd "$scratch/initramfs" \
  -append "console=ttyS0 quiet panic=-1 mitigations=off nokaslr no_timer_check tsc=reliable" \
  </dev/null 2>"$exchange/qemu" &
qemu=$!
status=0
wait "$qemu" || status=$?
qemu=
if [ "$status" -eq 124 ]; then
  fail "kernel $release: stopped after $seconds seconds; VM_SECONDS gives more" 124
fi
if [ ! -s "$exchange/status" ]; then
  cat "$exchange/qemu" >&2
  tail -n 30 "$exchange/console" >&2
  fail "kernel $release: the guest ended without an exit status (qemu: $status); above is what it said last"
fi
exit "$(cat "$exchange/status")"
