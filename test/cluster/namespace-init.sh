#!/bin/sh
# First process of the namespaces that enter.ts makes for network, mounts and processes:
#   namespace-init.sh FOLDER COMMAND…
# Prepares them, runs the command, passes signals on to it, and ends with its status. All that still runs then, the
# kernel ends.
set -eu
folder=$1
shift

# The proc still mounted is the machine's, so this is the number that the machine knows this process by.
read -r pid _ </proc/self/stat
echo "$pid" >"$folder/init.pid"
mount -t proc proc /proc

# Programs of the cluster insist on some folders of the machine. Here these are the run's own.
mount -t tmpfs -o mode=755 tmpfs /run
for name in lib log; do
  mkdir -p "$folder/$name" "$folder/$name.work"
  mount -t overlay -o "lowerdir=/var/$name,upperdir=$folder/$name,workdir=$folder/$name.work" overlay "/var/$name"
done

# The kubelet would set these for the whole machine. It finds what it wants and leaves them.
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  file=$folder/sysctl/${setting%=*}
  mkdir -p "$(dirname "$file")"
  echo "${setting#*=}" >"$file"
  mount --bind "$file" "/proc/sys/${setting%=*}"
done

# What is mounted from here on is the cluster's.
cat /proc/self/mountinfo >"$folder/mountinfo"

ip link set lo up
for address in $HOLDFAST_NAMESPACE_ADDRESSES; do
  ip address add "$address/32" dev lo
done

child=''
pass() {
  if [ -z "$child" ]; then exit 143; fi
  kill -s "$1" "$child" 2>/dev/null || true
}
trap 'pass TERM' TERM
trap 'pass HUP' HUP
# A terminal has told the command already.
if [ -t 0 ]; then trap : INT; else trap 'pass INT' INT; fi

# The shell would give a command in the background no input, and have it ignore interrupts.
exec 3<&0
HOLDFAST_NAMESPACE_FOLDER=$folder HOLDFAST_NAMESPACE_PID=$pid \
  env --default-signal=INT,QUIT "$@" <&3 3<&- &
child=$!
status=0
while kill -s 0 "$child" 2>/dev/null; do
  status=0
  wait "$child" || status=$?
done
exit "$status"
