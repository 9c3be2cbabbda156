#!/bin/bash
# A region over four mock devices by sysfs alone, taken apart again.

. "$(dirname "$0")/common"

set -eE -o pipefail
trap 'fail $LINENO "$BASH_COMMAND"' ERR

need cxl jq uuidgen
modprobe -r cxl_test
modprobe cxl_test
udevadm settle

dev=/sys/bus/cxl/devices
slice=$((256 << 20))

root=$(cxl list -b cxl_test -D -d root |
	jq -r '[.[] | select(.pmem_capable == true and .nr_targets == 2)] | .[0].decoder')
[[ $root =~ ^decoder[0-9]+\.([0-9]+)$ ]] || fail $LINENO "no window: $root"
echo "window ${BASH_REMATCH[1]}"

declare -A below
for position in 0 1; do
	bridge=$(cxl list -T -d "$root" | jq -r ".[].targets[] | select(.position == $position) | .target")
	memdevs_below "$bridge" found
	below[$position]="${found[0]} ${found[2]}"
done

read -r a b <<< "${below[0]}"
read -r c d <<< "${below[1]}"
mems=("$a" "$c" "$b" "$d")
echo "${#mems[@]} devices"

decoders=()
for mem in "${mems[@]}"; do
	cxl reserve-dpa -t pmem "$mem" -s "$slice" > /dev/null 2>&1
	readarray -O ${#decoders[@]} -t decoders < <(cxl list -Di -d endpoint -m "$mem" |
		jq -r '.[] | select(.mode == "pmem") | .decoder')
done
((${#decoders[@]} == 4)) || fail $LINENO "${#decoders[@]} decoders"

region=$(< "$dev/$root/create_pmem_region")
echo "$region" > "$dev/$root/create_pmem_region"
uuidgen > "$dev/$region/uuid"
ig=$(< "$dev/$root/interleave_granularity")
echo "$ig" > "$dev/$region/interleave_granularity"
echo ${#decoders[@]} > "$dev/$region/interleave_ways"
printf '%#x\n' $((${#decoders[@]} * slice)) > "$dev/$region/size"

# a second size is refused, and that is the command's failure alone
if echo $slice > "$dev/$region/size"; then fail $LINENO 'size taken twice'; fi 2> /tmp/refused
sed 's/^.*: line [0-9]*: //' /tmp/refused

for ((i = 0; i < ${#decoders[@]}; i++)); do echo "${decoders[i]}" > "$dev/$region/target$i"; done
echo 1 > "$dev/$region/commit"
base=$(< "$dev/$region/resource")
for decoder in "${decoders[@]}"; do
	[[ $(< "$dev/$decoder/start") -eq $base ]] || fail $LINENO "$decoder"
done
(((base & (slice - 1)) == 0)) && echo "base aligned, granule $ig"

echo 0 > "$dev/$region/commit"
for ((i = ${#decoders[@]} - 1; i >= 0; i--)); do echo '' > "$dev/$region/target$i"; done
echo "$region" > "$dev/$root/delete_region"
cxl free-dpa -t pmem "${mems[@]}" > /dev/null 2>&1

quiet_kernel $LINENO
modprobe -r cxl_test
echo finished
